import BusTesting
import ConclaveBus
import SharedRing
import Testing

@testable import ConclaveBoard

/// A board on real buses.
@Suite struct BoardTests {
  enum Transport: CaseIterable { case channel, file, mirrored }

  /// Runs `body` with a bus of each kind, and cleans up behind it.
  private func withBus(
    _ transport: Transport, _ body: @escaping @Sendable (any MessageBus) throws -> Void
  ) async throws {
    let scratch = try TemporaryDirectory()
    let directory = try BusDirectory(opening: scratch.appending("bus"))
    try await onThread {
      let bus: any MessageBus =
        switch transport {
        case .channel: ChannelBus()
        case .file: try FileBus(directory: directory)
        case .mirrored: try MirroredBus(directory: directory, options: Self.small)
        }
      defer {
        bus.close()
        _ = try? SharedMemoryBus.clean(directory)
      }
      try body(bus)
    }
  }

  private static var small: MirrorOptions {
    MirrorOptions(
      shared: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 1024, laneCount: 16, laneBytes: 262_144, subscriptionCount: 32)))
  }

  private func read(_ reader: BoardReader, until count: Int) throws -> [BoardItem] {
    while reader.items.count < count, try reader.next(timeout: hangLimit) != nil {}
    return reader.items
  }

  @Test(arguments: Transport.allCases)
  func postedNotesAreRead(_ transport: Transport) async throws {
    try await withBus(transport) { bus in
      let board = Board(on: bus, topic: try Board.topic(ofWave: 3))
      let reader = try board.reader()
      try board.post([BoardNote(.discovery, "one"), BoardNote(.warning, "two")], from: "task-1")
      try board.post([], from: "task-1")
      try board.post([BoardNote(.intent, "three")], from: "task-2")
      let items = try read(reader, until: 3)
      #expect(items.map(\.text) == ["one", "two", "three"])
      #expect(items.map(\.sender) == ["task-1", "task-1", "task-2"])
      #expect(
        board.topic.name == "parallel.wave-3.board" && reader.lost == 0 && reader.skipped == 0)
      try board.post([BoardNote(.discovery, "four")], from: "task-2")
      #expect(try reader.next(timeout: hangLimit)?.text == "four")
      #expect(try reader.refresh(patience: .zero).isEmpty && reader.items.count == 4)
    }
  }

  /// What was said before somebody came is there, on all transports that keep messages.
  @Test(arguments: [Transport.file, .mirrored])
  func thePastIsThere(_ transport: Transport) async throws {
    try await withBus(transport) { bus in
      let board = Board(on: bus, topic: try Topic(Board.usualTopic))
      for number in 0..<30 { try board.post([BoardNote(.discovery, "\(number)")], from: "s") }
      let reader = try board.reader()
      // Once the bus is closed, reading comes to an end that has everything.
      bus.close()
      #expect(try reader.refresh(patience: nil).map(\.text) == (0..<30).map { "\($0)" })
      #expect(reader.isEnded)
    }
  }

  @Test(arguments: Transport.allCases)
  func whatIsNoNoteIsSkippedAndCounted(_ transport: Transport) async throws {
    try await withBus(transport) { bus in
      let board = Board(on: bus, topic: try Topic("b"))
      let reader = try board.reader()
      for (topic, type, payload) in [
        ("b", "board.discovery", "[]"), ("b", "board.zzz", #"{"text":"x"}"#), ("b", "result", "1"),
        ("b.below", "board.discovery", #"{"text":"not here"}"#),
        ("b", "board.warning", #"{"text":"a","text":"b"}"#),
        ("b", "board.context", #"{"text":"last"}"#),
      ] {
        let message = Message(type: type, sender: "s", payload: try RawJSON(payload))
        try bus.publish(message, to: Topic(topic))
      }
      #expect(try read(reader, until: 1).map(\.text) == ["last"])
      #expect(reader.skipped == 4 && reader.lost == 0)
    }
  }

  @Test func wavesHandOverToEachOther() async throws {
    try await withBus(.file) { bus in
      for wave in 0..<3 {
        let board = Board(on: bus, topic: try Board.topic(ofWave: wave))
        try board.post(
          [BoardNote(.warning, "warning \(wave)"), BoardNote(.intent, "i")], from: "task-\(wave)")
        let reader = try board.reader()
        let items = try read(reader, until: 2 + wave)
        let next = Board(on: bus, topic: try Board.topic(ofWave: wave + 1))
        try next.post(BoardHandOver.notes(from: items), from: "orchestrator")
      }
      let last = try Board(on: bus, topic: Board.topic(ofWave: 3)).reader()
      let items = try read(last, until: 3)
      #expect(items.map(\.sender) == ["task-0", "task-1", "task-2"])
      #expect(items.map(\.text) == ["warning 0", "warning 1", "warning 2"])
      #expect(Set(items.map(\.id)).count == 3)
      #expect(try last.refresh(patience: .zero).isEmpty)
    }
  }

  @Test func lossesAreCounted() async throws {
    try await withBus(.channel) { bus in
      let board = Board(on: bus, topic: try Topic("b"))
      let reader = try board.reader()
      let notes = try (0..<1000).map { try BoardNote(.discovery, "\($0)") }
      for _ in 0..<12 { try board.post(notes, from: "s") }
      let items = try reader.refresh(patience: .zero)
      #expect(items.count == BoardReader.capacity)
      // The queue's losses are told with the next message that comes.
      try board.post([BoardNote(.discovery, "end")], from: "s")
      _ = try reader.next(timeout: hangLimit)
      #expect(reader.lost == 2000 + UInt64(BoardReader.capacity) / 10)
      #expect(reader.items.last?.text == "end")
    }
  }

  @Test func errorsAreTheBuss() async throws {
    try await withBus(.channel) { bus in
      let board = Board(on: bus, topic: try Topic("b"))
      let note = try BoardNote(.discovery, "x")
      let nameless = #expect(throws: PublishFailure.self) { try board.post([note], from: "") }
      #expect(nameless?.cause.code == .invalidName)
      bus.close()
      let closed = #expect(throws: PublishFailure.self) { try board.post([note], from: "s") }
      #expect(closed?.cause.code == .closed)
      #expect(throws: BusError.self) { try board.reader() }
      #expect(throws: BusError.self) { try Board.topic(ofWave: -1) }
    }
  }

  @Test func postingWithoutBlocking() async throws {
    let bus = ChannelBus()
    let board = Board(on: bus, topic: try Topic("b"))
    let reader = try board.reader()
    try await board.post([BoardNote(.discovery, "x")], from: "s")
    bus.close()
    #expect(try await onThread { try reader.refresh(patience: nil).map(\.text) } == ["x"])
  }

  @Test func cancelEndsAWait() async throws {
    let bus = ChannelBus()
    let reader = try Board(on: bus, topic: try Topic("b")).reader()
    async let end = onThread { try reader.next() }
    reader.cancel()
    #expect(try await end == nil && reader.isEnded)
  }
}
