import BusTesting
import Glibc

/// The processes and their fate.
struct Storm: ~Copyable {
  /// One process after another, all of one role.
  private struct Slot {
    let role: StormRole
    let number: Int
    var child: ChildProcess
  }

  private let options: StormOptions
  private let files: StormFiles
  private var random: SplitMix64
  private var slots: [Slot] = []
  /// Asked to end, with others in their slots already.
  private var leaving: [Slot] = []
  private var lives = 0
  private(set) var tally = StormTally()
  /// How often somebody else was seen to be the mirror.
  private(set) var terms = 0
  private var mirror = ""
  private(set) var faults: [String] = []

  init(_ options: StormOptions, _ files: StormFiles) {
    self.options = options
    self.files = files
    random = SplitMix64(seed: options.seed)
  }

  /// The slots whose subscribers note what they receive.
  var runSlots: Range<Int> { options.workers..<options.workers + options.subscribers.count }

  /// Kills and starts again, until there were enough kills, or until a planted defect is noticed.
  mutating func rage() throws {
    let roles = Array(repeating: .publisher, count: options.workers) + options.subscribers
    for (number, role) in roles.enumerated() {
      slots.append(Slot(role: role, number: number, child: try start(role, number)))
    }
    let end = ContinuousClock.now.advanced(by: .seconds(options.limit))
    var announced = ContinuousClock.now
    while tally.allKills < options.kills, faults.isEmpty || !StormDefect.isChosen {
      guard ContinuousClock.now < end else {
        throw SystemFailure("reach \(options.kills) kills in time", errorNumber: ETIMEDOUT)
      }
      usleep(UInt32(random.next() % 6000))
      noteMirror()
      try strike(victim())
      if announced.duration(to: .now) > .seconds(5) {
        announced = .now
        print("\(tally.allKills) of \(options.kills) kills")
      }
    }
    usleep(300_000)
    for slot in leaving + slots { try kill(slot) }
    (slots, leaving) = ([], [])
  }

  /// Mostly a publisher: subscribers need some time to get anywhere.
  private mutating func victim() -> Int {
    let isPublisher = options.subscribers.isEmpty || random.next() % 4 > 0
    let range = isPublisher ? 0..<options.workers : options.workers..<slots.count
    return range.lowerBound + Int(random.next() % UInt64(range.count))
  }

  /// Ends it in one way or the other, and starts another one in its place.
  private mutating func strike(_ victim: Int) throws {
    let slot = slots[victim]
    if random.next() % 10 == 0 {
      slot.child.kill(SIGTERM)
      leaving.append(slot)
    } else {
      try kill(slot)
    }
    slots[victim].child = try start(slot.role, slot.number)
    // Some are killed while they end.
    if leaving.count > 3 {
      let slot = leaving.removeFirst()
      if random.next() % 4 == 0 { try kill(slot) } else { try awaitEnd(slot) }
    }
  }

  private mutating func kill(_ slot: Slot) throws {
    let isMirror = TextFile.read("\(files.bus)/.mirror.lock").hasPrefix("\(slot.child.pid) ")
    slot.child.kill(SIGKILL)
    try awaitEnd(slot, wasMirror: isMirror)
  }

  private mutating func awaitEnd(_ slot: Slot, wasMirror: Bool = false) throws {
    let exit = try slot.child.wait()
    let said = slot.child.standardOutput
    if said.contains(Report.word) { faults.append(said) } else if !said.isEmpty { print(said) }
    switch exit {
    case .signal(SIGKILL): tally.noteKill(slot.role, wasMirror: wasMirror)
    // It has said what is wrong; the others go on.
    case .code(1) where said.contains(Report.word): break
    // Asked before it could listen.
    case .signal(SIGTERM): break
    case .code(0): tally.noteGoodEnd(slot.role)
    default:
      throw SystemFailure(
        "see a \(slot.role) end well; it ended with \(exit): \(said)\(slot.child.standardError)")
    }
  }

  private mutating func start(_ role: StormRole, _ number: Int) throws -> ChildProcess {
    lives += 1
    let (life, seed) = ("\(lives)", "\(random.next() >> 1)")
    let words =
      switch role {
      case .publisher:
        [StormWorker.word, files.bus, files.acknowledged, "w" + life, seed, "\(options.largest)"]
      case .dropping, .waiting:
        [StormSubscriber.word, files.bus, files.runs(number), life, seed, role.rawValue]
      case .member: [StormMember.word, files.bus, files.group, life, seed]
      }
    return try ChildProcess("/proc/self/exe", words)
  }

  private mutating func noteMirror() {
    let holder = TextFile.read("\(files.bus)/.mirror.lock")
    if holder != mirror { terms += 1 }
    mirror = holder
  }
}
