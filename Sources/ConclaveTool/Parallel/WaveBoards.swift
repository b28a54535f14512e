import ConclaveBoard
import ConclaveBus
import ConclaveRunner
import SharedRing

/// Joins a run of a plan to the bus: each wave has a board in a bus directory of its own, which is
/// archived when the wave is over. What fails is said, and the work goes on without a board.
final class WaveBoards: Sendable {
  /// Who speaks for the run itself.
  static let sender = "parallel-run"

  private struct State {
    var session: BusSession?
    var board: Board?
    var reader: BoardReader?
    /// Becomes true when the reader's thread has ended.
    var isHeard = true
  }

  private let directory: String
  private let transport: Transport?
  /// How many processes speak at once: the loops, the run, and somebody who looks.
  private let publishers: Int
  private let notes: Notes
  private let state = Lock(State())
  private let heard = Event()

  /// - Parameters:
  ///   - directory: the bus below which each wave gets a directory; absolute.
  ///   - transport: the one that was chosen, or nil.
  ///   - loops: how many tasks are worked on at once.
  init(below directory: String, _ transport: Transport?, loops: Int, _ notes: Notes) {
    self.directory = directory
    self.transport = transport
    publishers = loops + 2
    self.notes = notes
  }

  /// The seam that the run knows.
  var fleetBoard: FleetBoard {
    var board = FleetBoard()
    board.clear = { self.clear() }
    board.begin = { run, wave, onFinding in
      self.attempt { try self.begin(run, wave, onFinding) }
    }
    board.post = { self.post($0) }
    board.end = { self.end() }
    return board
  }

  private func path(_ wave: Int) -> String { "\(directory)/wave-\(wave)" }

  /// Where `conclave bus archive` looks, wherever the bus lies.
  private var archive: SessionArchive { SessionArchive(of: directory) }

  /// Archives what the waves of killed runs have left.
  private func clear() -> [String] {
    guard let bus = try? BusDirectory(opening: directory, create: false),
      let stale = try? BusSession.staleDirectories(in: bus)
    else { return [] }
    return stale.filter { $0.path.hasPrefix("\(bus.path)/wave-") }.compactMap { wave in
      do {
        try BusSession.clear(wave, .archive, options: BusSessionOptions(archive: archive))
        return "archived the board in \(wave.path) that a killed run had left"
      } catch {
        return "\(wave.path), which a killed run had left: \(ToolError(any: error).message)"
      }
    }
  }

  private func begin(
    _ run: SessionName, _ wave: Int,
    _ onFinding: @escaping @Sendable (FleetBoard.Finding) -> Void
  ) throws -> FleetBoardPlace {
    end()
    let location = try BusLocation.find(option: path(wave))
    _ = try location.openDirectory()
    let earlier = try items(of: run, before: wave)
    let session = try BusSession.begin(
      at: location.path, options: BusSessionOptions(name: run, archive: archive))
    state.withLock { $0.session = session }
    let topic = try Board.topic(ofWave: wave)
    let (bus, used) = try Transport.openBoard(
      transport, session.directory, publishers: publishers, notes
    ) { say($0) }
    let board = Board(on: bus, topic: topic)
    state.withLock { $0.board = board }
    let reader = try board.reader(from: .now)
    state.withLock { state in
      state.reader = reader
      state.isHeard = false
    }
    // The thread ends when the reading is cancelled.
    BlockingThreads.shared.run { self.listen(reader, onFinding) }
    try board.post(BoardHandOver.notes(from: earlier), from: WaveBoards.sender)
    // All who speak in the wave do so by the same, also an agent that is told nothing of it.
    return FleetBoardPlace(
      directory: session.directory.path, topic: topic.name,
      environment: transport == nil && used == .file ? ["BUS_TRANSPORT": used.rawValue] : [:])
  }

  private func listen(
    _ reader: BoardReader, _ onFinding: @Sendable (FleetBoard.Finding) -> Void
  ) {
    while let item = (try? reader.next()) ?? nil {
      guard item.carriedBy == nil, !item.hasExpired(at: .now()) else { continue }
      onFinding(
        FleetBoard.Finding(sender: item.sender, kind: item.kind.rawValue, text: item.text))
    }
    state.withLock { $0.isHeard = true }
    heard.signal()
  }

  private func post(_ finding: FleetBoard.Finding) {
    guard let board = state.withLock({ $0.board }), let kind = BoardKind(rawValue: finding.kind)
    else { return }
    attempt {
      do {
        let scope = BoardScope(finding, now: .now())
        try board.post([BoardNote(kind, finding.text, scope: scope)], from: finding.sender)
      } catch let error as PublishFailure where error.cause.code == .closed {
        // The wave ended just now, and nobody is there to be told.
      }
    }
  }

  private func end() {
    let (session, board, reader) = state.withLock { state in
      defer {
        state.session = nil
        state.board = nil
        state.reader = nil
      }
      return (state.session, state.board, state.reader)
    }
    reader?.cancel()
    while true {
      let ticket = heard.prepareToWait()
      if state.withLock({ $0.isHeard }) { break }
      heard.wait(ticket, until: nil)
    }
    board?.bus.close()
    guard let session else { return }
    if attempt({ try session.end() }) == nil { session.abandon() }
  }

  // MARK: What earlier waves have left

  /// The board of the nearest wave before, and what was said in this one before it was interrupted.
  private func items(of run: SessionName, before wave: Int) throws -> [BoardItem] {
    guard let session = try archive.sessions().first(where: { $0.name == run }) else { return [] }
    let waves = session.buses.compactMap { bus in
      WaveBoards.wave(ofArchived: bus.path).map { (wave: $0, path: bus.path) }
    }
    let before = waves.map(\.wave).filter { $0 < wave }.max()
    return waves.filter { $0.wave == wave || $0.wave == before }
      .flatMap { attempt(read($0.wave, $0.path)) ?? [] }
  }

  /// The number in `wave-3`, and in `wave-3-2`, of a wave that was interrupted.
  private static func wave(ofArchived path: String) -> Int? {
    let name = path.split(separator: "/").last ?? ""
    let words = name.split(separator: "-")
    return words.first == "wave" && words.count > 1 ? Int(words[1]) : nil
  }

  private func read(_ wave: Int, _ path: String) -> () throws -> [BoardItem] {
    {
      let bus = try FileBus(directory: BusDirectory(opening: path, create: false))
      defer { bus.close() }
      let reader = try Board(on: bus, topic: Board.topic(ofWave: wave)).reader()
      defer { reader.cancel() }
      try reader.refresh()
      return reader.items
    }
  }

  @discardableResult
  private func attempt<R>(_ work: () throws -> R) -> R? {
    do { return try work() } catch {
      let error = ToolError(any: error)
      say("\(error.message)\(error.hint.isEmpty ? "" : "; \(error.hint)")")
      return nil
    }
  }

  private func say(_ text: String) { notes.say("  board: \(text)") }
}

extension BoardScope {
  /// - Parameter now: from when on what has a lifetime counts.
  fileprivate init(_ finding: FleetBoard.Finding, now: Timestamp) {
    self.init(
      expires: finding.lifetime.map { now.later(by: $0) }, about: finding.about,
      recipient: finding.recipient, isObserved: finding.isObserved)
  }
}
