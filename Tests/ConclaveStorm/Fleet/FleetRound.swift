import BusTesting
import ConclaveBus
import Glibc

/// What a run comes to that nobody disturbs, and how long it takes.
struct FleetReference {
  let tree: String
  let subjects: [String]
  let seconds: Double

  init(_ world: FleetWorld) throws {
    let start = ContinuousClock.now
    let child = try world.start(world.words)
    guard try child.wait() == .code(0) else {
      throw SystemFailure("see an undisturbed run succeed: \(child.standardError)")
    }
    seconds = start.duration(to: .now) / .seconds(1)
    let picture = try FleetPicture(world)
    tree = picture.tree
    subjects = picture.subjects
  }
}

/// One world in which a run is killed at random moments and gone on with until it is over.
struct FleetRound {
  /// How a run is ended.
  enum Strike: CaseIterable {
    case interrupt, terminate
    /// `kill -9` of the run's own process.
    case kill
    /// The same for everything that it has started, too, as when a container is stopped.
    case killAll

    var signal: Int32 {
      switch self {
      case .interrupt: SIGINT
      case .terminate: SIGTERM
      case .kill, .killAll: SIGKILL
      }
    }
  }

  let world: FleetWorld
  private let reference: FleetReference
  private let defect: FleetDefect?
  private var random: SplitMix64
  private var judge: FleetJudge
  private var said: [String] = []
  private(set) var tally = FleetTally()

  var faults: [String] { judge.faults }

  init(
    _ world: FleetWorld, _ reference: FleetReference, seed: UInt64, defect: FleetDefect? = nil
  ) throws {
    self.world = world
    self.reference = reference
    self.defect = defect
    random = SplitMix64(seed: seed)
    judge = try FleetJudge(world)
  }

  mutating func run() throws {
    // Each a third; of what is killed, one in four with all of its processes.
    let strike: Strike =
      switch random.below(12) {
      case 0..<4: .interrupt
      case 4..<8: .terminate
      case 8: .killAll
      default: .kill
      }
    // What sheds every mark is only found by a loop that lives.
    if strike == .killAll { _ = try world.ask("echo > ../tame") }
    if random.below(8) == 0 { _ = try world.ask("echo > ../deaf") }
    let times = random.below(3) == 0 ? 2 + random.below(2) : 1
    for _ in 0..<times {
      guard try hit(defect == .nameless ? .kill : strike) else { break }
      // No run begins with files that are changed, but runs go on.
      if random.below(4) == 0, world.hasRun, try judge.isCalm() { try edit() }
    }
    try finish()
    if defect == .lostEdit { try edit() }
    if let defect { try plant(defect) }
    try judge.judgeEnd(reference)
  }

  private mutating func edit() throws {
    _ = try world.ask(FleetScript.edit)
    try judge.noteEdit()
  }

  // MARK: Before the end

  /// - Returns: whether the run was ended before it was over.
  private mutating func hit(_ strike: Strike) throws -> Bool {
    let before = world.journal.count
    let child = try world.start(world.words)
    sleep()
    let moment = moment
    if strike == .killAll { try killAll(child) } else { child.kill(strike.signal) }
    let exit = try end(of: child)
    let isOver = exit == .code(0) || (exit == .code(3) && isComplete)
    tally.note(strike, at: isOver ? "over" : moment)
    if isOver { return false }
    switch (strike, exit) {
    case (.interrupt, .code(130)), (.terminate, .code(143)): try judge.judgeOrderlyEnd()
    // Before it was ready, and then it has not begun.
    case (.interrupt, .signal(SIGINT)), (.terminate, .signal(SIGTERM)):
      judge.judgeNothingBegan(before)
    case (.kill, .signal(SIGKILL)), (.killAll, .signal(SIGKILL)): try look()
    default: judge.fault("ended with \(exit) after \(strike)")
    }
    return true
  }

  /// For any part of the time that a run takes; one in four until shortly after it has written down
  /// that the branch is about to move, since that is a small part of it.
  private mutating func sleep() {
    let part = Double(random.below(1_000_000))
    guard random.below(4) == 0 else {
      usleep(UInt32(part * reference.seconds))
      return
    }
    for _ in 0..<Int(reference.seconds * 1000) where moment != "publishing" { usleep(1000) }
    usleep(UInt32(part * 0.02))
  }

  /// Its own process is stopped first: it must not start anything while the others are killed.
  private func killAll(_ child: ChildProcess) throws {
    child.kill(SIGSTOP)
    while case let rest = world.processes.subtracting([child.pid]), !rest.isEmpty {
      for pid in rest { Glibc.kill(pid, SIGKILL) }
      usleep(1000)
    }
    child.kill(SIGKILL)
  }

  /// What the run did last, by its journal.
  private var moment: String {
    // {"record":"began",
    let words = world.journal.last?.split(separator: "\"") ?? []
    return words.count > 3 ? String(words[3]) : "nothing"
  }

  private var isComplete: Bool {
    guard let last = world.journal.last else { return false }
    return last.contains("\"run_ended\"") && last.contains("\"completed\"")
  }

  /// Half the time, the doctor must name what is there; and half of that time, clear it away.
  private mutating func look() throws {
    let draw = defect == .nameless ? 0 : random.below(4)
    guard draw < 2 else { return }
    let processes = world.processes
    let picture = try FleetPicture(world)
    let words = try doctor(["doctor", "--json"])
    tally.looks += 1
    // Those that have ended meanwhile need not be named.
    let lasting = processes.intersection(world.processes)
    judge.judgeNamed(
      lasting, picture, in: defect == .nameless ? "" : words, hasRun: world.hasRun)
    guard draw == 0 else { return }
    _ = try doctor(["doctor", "--json", "--fix"])
    tally.fixes += 1
    try judge.judgeFixed()
  }

  private mutating func doctor(_ words: [String]) throws -> String {
    let child = try world.start(words)
    // 1: there is something to look after, since the run can be resumed.
    let exit = try end(of: child)
    if exit != .code(0), exit != .code(1) { judge.fault("the doctor ended with \(exit)") }
    return child.standardOutput
  }

  // MARK: The end

  private mutating func finish() throws {
    if isComplete { return }
    let child = try world.start(world.words)
    let exit = try end(of: child)
    if exit != .code(0) {
      judge.fault("the last run ended with \(exit): \(child.standardError.suffix(500))")
    }
  }

  private mutating func plant(_ defect: FleetDefect) throws {
    _ = try world.ask(defect.script)
    guard defect == .leftSegment else { return }
    let bus = try SharedMemoryBus(
      directory: BusDirectory(opening: "\(world.top)/.conclave/bus/wave-9"))
    try bus.publish(Message(type: "t", sender: "s", payload: RawJSON("1")), to: Topic("t"))
    bus.close()
  }

  private mutating func end(of child: ChildProcess) throws -> ChildProcess.Exit {
    let exit = try child.wait(within: .seconds(300))
    let number = said.count + 1
    said.append("=== \(number): \(exit)\n\(child.standardOutput)\(child.standardError)")
    return exit
  }

  /// Writes down what was said, and ends what was left.
  func keep() {
    let file = unsafe open("\(world.home)/said", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(file) }
    let text = Array((said + judge.faults).joined(separator: "\n").utf8)
    _ = unsafe write(file, text, text.count)
    for pid in world.processes { Glibc.kill(pid, SIGKILL) }
  }
}
