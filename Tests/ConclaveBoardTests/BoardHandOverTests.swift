import ConclaveBus
import Testing

@testable import ConclaveBoard

@Suite struct BoardHandOverTests {
  /// What wave after wave finds on its board at the beginning.
  private func next(_ items: [BoardItem], from first: Int) throws -> [BoardItem] {
    try World.posted(BoardHandOver.notes(from: items), from: first)
  }

  private func numbers(_ items: [BoardItem]) -> [UInt64] { items.map(\.id.counter) }

  @Test func tenDiscoveriesAndAllWarnings() throws {
    // The defect that this guards against: twelve warnings, and no discovery.
    let items =
      (0..<12).map { World.item($0, .discovery) } + (12..<24).map { World.item($0, .warning) }
    for board in [
      items, items.reversed(), items.sorted { $0.id.counter % 12 < $1.id.counter % 12 },
    ] {
      let carried = try next(board, from: 100)
      #expect(carried.count { $0.kind == .warning } == 12)
      #expect(carried.count { $0.kind == .discovery } == 10)
      let newest = board.filter { $0.kind == .discovery }.suffix(10)
      #expect(carried.filter { $0.kind == .discovery }.map(\.id) == newest.map(\.id))
    }
  }

  /// What got rid of an error goes on besides, however much was found out since: of each error the
  /// newest notes.
  @Test func memoryOfErrors() throws {
    let (a, b) = ("0123456789abcdef", "fedcba9876543210")
    func fixed(_ number: Int, _ errors: [String]) throws -> BoardItem {
      let text = try ErrorMemory.note(errors, "fixed: by way \(number)").text
      return World.item(number, .discovery, text, by: "task-\(number)")
    }
    var board = try [fixed(0, [b]), fixed(1, [a]), fixed(2, [a]), fixed(3, [a, b]), fixed(4, [a])]
    for wave in 1...4 {
      board += (0..<12).map { World.item(wave * 100 + $0, .discovery) }
      board = try next(board, from: wave * 1000)
      #expect(numbers(board).prefix(4) == [0, 2, 3, 4] && board.count == 4 + 10)
    }
    #expect(numbers(ErrorMemory.notes(on: a, in: board, for: "task-2")) == [3, 4])
    #expect(numbers(ErrorMemory.notes(on: b, in: board, for: "task-9")) == [0, 3])
    #expect(ErrorMemory.notes(on: "", in: board, for: "task-9") == [])
  }

  @Test(arguments: [
    "error 0123456789abcdef] x", "[error 0123456789abcdeg] x", "[error 0123456789abcde] x",
    "[error 0123456789abcdef]", "x [error 0123456789abcdef] x", "[error ",
  ])
  func whatOnlyLooksLikeMemory(_ text: String) {
    #expect(ErrorMemory.fingerprints(in: World.item(0, .discovery, text)) == [])
  }

  @Test func payloadsAreFlatAndSayWhoAndWhen() throws {
    let notes = BoardHandOver.notes(from: [
      World.item(3, .warning, "w", by: "task-1", isProvisional: true)
    ])
    #expect(notes.map(\.kind) == [.context])
    #expect(
      try notes.first?.payload().description == """
        {"text":"w","provisional":true,"carried":{"id":"7-3","sender":"task-1",\
        "timestamp":"\(World.second(99_003))","kind":"warning"}}
        """)
  }

  /// Over five waves: the origin stays, nothing is wrapped, everything is there once.
  @Test func severalWaves() throws {
    var board = (0..<3).flatMap { [World.item($0, .discovery), World.item($0 + 100, .warning)] }
    for wave in 1...5 {
      let carried = try next(board, from: wave * 1000)
      #expect(carried.allSatisfy { $0.carriedBy == "orchestrator" && $0.sender == "peer" })
      for item in carried {
        let number = Int(item.id.counter)
        #expect(item.text == "\(item.kind) \(number)" && item.time == World.second(99_000 + number))
      }
      #expect(Set(numbers(carried)).count == carried.count)
      #expect(carried.count { $0.kind == .warning } == 3 + (wave - 1))
      #expect(carried.count { $0.kind == .discovery } == min(10, 3 + 3 * (wave - 1)))
      let payloads = try BoardHandOver.notes(from: carried).map { try $0.payload().description }
      #expect(payloads.allSatisfy { $0.matches(of: /"carried"/).count == 1 })
      board =
        carried + (0..<3).map { World.item(wave * 10 + $0 + 200, .discovery) }
        + [World.item(wave + 300, .warning)]
    }
    // The first wave's discoveries have given way to newer ones, its warnings never do.
    let last = numbers(try next(board, from: 9000))
    #expect(!last.contains(0) && [100, 101, 102].allSatisfy(last.contains))
  }

  @Test func theSameTextOnce() throws {
    let items = [
      World.item(1, .discovery, "Same", by: "a"), World.item(2, .discovery, "same.", by: "b"),
      World.item(3, .warning, "Other", by: "a"), World.item(4, .discovery, "other", by: "b"),
    ]
    let carried = try next(items, from: 100)
    #expect(numbers(carried) == [2, 3] && carried.map(\.kind) == [.discovery, .warning])
    let later = try next(carried + [World.item(5, .discovery, "SAME", by: "c")], from: 200)
    #expect(numbers(later) == [3, 5])
  }

  @Test func intentsAndPlainContextEndWithTheirWave() throws {
    let items = [
      World.item(1, .intent, "expired", expires: World.second(1)),
      World.item(2, .intent, "not expired", expires: World.second(200_000)),
      World.item(3, .context, "said by the orchestrator"), World.item(4, .discovery),
      World.item(5, .warning, "for now", expires: World.second(200_000)),
      World.item(6, .warning, "for one", to: "task-1"),
    ]
    #expect(numbers(try next(items, from: 100)) == [4])
  }

  @Test func doingItAgainAddsNothing() throws {
    let items = (0..<4).map { World.item($0, $0 % 2 == 0 ? .warning : .discovery) }
    let there = try next(items, from: 100)
    #expect(BoardHandOver.notes(from: items, besides: there).isEmpty)
    // Half of it was done, when somebody else had said one more.
    let half = Array(there.prefix(2)) + [World.item(9, .discovery, "DISCOVERY 3", by: "x")]
    #expect(BoardHandOver.notes(from: items, besides: half).map(\.text) == ["warning 2"])
    // The same message counts as there, whatever became of its text.
    let changed = World.item(0, .warning, "in other words")
    #expect(BoardHandOver.notes(from: items, besides: [changed]).count == 3)
  }

  @Test func fewerOnDemand() {
    let items = (0..<4).map { World.item($0) } + [World.item(9, .warning)]
    #expect(
      BoardHandOver.notes(from: items, discoveries: 1).map(\.text) == ["discovery 3", "warning 9"])
    #expect(BoardHandOver.notes(from: items, discoveries: -1).map(\.text) == ["warning 9"])
    #expect(BoardHandOver.notes(from: []).isEmpty)
  }

  /// A carried warning is shown as one, with who said it first and when; its own sender not.
  @Test func theNextWaveSeesIt() throws {
    let carried = try next(
      [World.item(1, .warning, "w", by: "task-1"), World.item(2, by: "task-2")], from: 100)
    let selection = BoardSelection(
      of: carried, for: "task-2", limits: BoardLimits(count: 0), now: World.now)
    #expect(selection.notes.map(\.item.text) == ["w"] && selection.omissions.own == 1)
    let seen = BoardSelection(of: carried, seen: Set([World.id(1), World.id(2)]), now: World.now)
    #expect(seen.notes.isEmpty && seen.omissions.seen == 2)
  }
}
