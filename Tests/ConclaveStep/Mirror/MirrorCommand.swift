import ConclaveBus
import Glibc
import StepTracer

/// Death, and stopping, at every instruction of a mirror's term.
struct MirrorCommand {
  static let usage = """
    usage: conclave-step mirror [--every N] [--places N] [--window N] [--defect NAME] [WAY]
    Ways: \(Way.allCases.map(\.rawValue).joined(separator: ", ")). Without one, all of them.
    The thread of a bus's mirror is single-stepped from where it is woken to take the place until
    it has given it back. It takes over, copies a burst of messages that others have published,
    and what somebody publishes then who waits for the disk, in two topics whose files are
    rotated meanwhile: once with a ring that is full, and once with messages that are larger than
    there is room for. Behind each instruction after which others see something else than before,
    in the segment or in the bus directory, and behind every so manieth of the others (--every,
    default \(every)), a copy of both is judged, as if everybody had died just then; and also what
    there is when the last write to a file ended sooner (snapshot). Or it is killed, at so many
    such places (--places, default \(places)), each time a new one (kill); or stopped there while
    others publish two laps of the ring, or until they are held up, and continued (stop). Or one
    is killed, and copies are judged of the term of the one that comes after it (pairs; a
    twentieth of the places, and \(pairWindow) instructions behind each system call).
    What was promised must be in the files at that moment. Who comes after must be the mirror at
    once, and who waits must be woken. In the end the files must hold each message once, in
    order, in whole lines.
    With --window only the N instructions behind each system call are stepped, and the others run
    through. In a debug build --defect plants one, which must be noticed.

    """
  private static let every: UInt64 = 1000
  private static let places: UInt64 = 100
  private static let pairWindow: UInt64 = 300

  enum Way: String, CaseIterable { case snapshot, kill, stop, pairs }

  private var every = MirrorCommand.every
  private var places = MirrorCommand.places
  private var ways = Way.allCases
  private var window: UInt64?
  private var defect: String?

  static func main(_ words: [String]) -> Int32 {
    guard let command = MirrorCommand(words) else {
      print(usage, terminator: "")
      return 2
    }
    // On memory, as the segment: what is tried is the mirror, not a disk.
    unsafe setenv("TMPDIR", "/dev/shm", 1)
    // The same order of what is hashed in each worker, so that their counts are alike.
    unsafe setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    do {
      return try command.run() ? 0 : 1
    } catch {
      print("conclave-step: \(error)")
      return 70
    }
  }

  /// nil when the words make no sense.
  private init?(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if ["--every", "--places", "--window"].contains(word) {
        guard let count = rest.popFirst().flatMap({ UInt64($0) }), count > 0 else { return nil }
        switch word {
        case "--every": every = count
        case "--places": places = count
        default: window = count
        }
      } else if word == "--defect", let name = rest.popFirst(), StepDefect.plant(name) {
        defect = name
      } else if let way = Way(rawValue: word) {
        ways = [way]
      } else {
        return nil
      }
    }
  }

  // MARK: Running

  struct Tally {
    var points = 0
    var faults = 0
    /// How often publishers had no room because of a mirror that was stopped.
    var heldUp = 0
  }

  private func run() throws -> Bool {
    var tally = Tally()
    for what in StepCase.all where tally.faults == 0 {
      let title = "mirror of \(what.title)"
      let course = try snapshot(title, what, &tally)
      for way in ways where way != .snapshot && tally.faults == 0 {
        let before = tally.points
        let start = ContinuousClock.now
        let count = way == .pairs ? max(2, places / 20) : places
        for place in course.sample(count) where tally.faults == 0 {
          try disturb(way, "\(way.rawValue) \(title)", what, place, &tally)
        }
        let points = tally.points - before
        let heldUp = way == .stop ? ", publishers held up at \(tally.heldUp)" : ""
        print(
          "\(way.rawValue) \(title): \(points) places\(heldUp), \(seconds(since: start)) s")
        fflush(nil)
        tally.heldUp = 0
      }
    }
    print("\(tally.points) in all, \(tally.faults) faults")
    return tally.faults == 0
  }

  private func seconds(since start: ContinuousClock.Instant) -> Int {
    Int(start.duration(to: .now) / .seconds(1))
  }

  func episode(_ what: StepCase) throws -> StepEpisode {
    try StepEpisode(what, defect: defect)
  }

  /// A whole term, to know what there is in it; and if that is wanted, copies are judged.
  private func snapshot(
    _ title: String, _ what: StepCase, _ tally: inout Tally
  ) throws -> StepCourse {
    let (start, before) = (ContinuousClock.now, tally.points)
    let episode = try episode(what)
    let course =
      ways.contains(.snapshot)
      ? try judgeTerm(of: episode, window, "snapshot \(title)", &tally)
      : try StepCourse(episode, .init(stride: nil, window: window)) { _ in true }
    if tally.faults == 0 { try finish(episode, title, &tally) }
    print(
      "\(title): \(course.length) instructions, \(course.stretches.count) system calls, "
        + "\(course.states.count) changes, \(tally.points - before) copies, "
        + "\(seconds(since: start)) s")
    fflush(nil)
    return course
  }

  /// Takes a mirror through its term, and judges copies of what it goes through.
  func judgeTerm(
    of episode: StepEpisode, _ window: UInt64?, _ title: String, _ tally: inout Tally
  ) throws -> StepCourse {
    try StepCourse(episode, .init(stride: every, window: window)) { moment in
      try judge(moment, of: episode, title, &tally)
      return tally.faults == 0
    }
  }

  /// As ``judgeTerm(of:_:_:_:)``, of one that comes after a death.
  func judgeSecondTerm(
    of episode: StepEpisode, _ title: String, _ tally: inout Tally
  ) throws {
    try episode.kill()
    try episode.begin()
    _ = try judgeTerm(of: episode, window ?? MirrorCommand.pairWindow, title, &tally)
    if tally.faults == 0 { try finish(episode, title, &tally) }
  }

  private func judge(
    _ moment: StepCourse.Moment, of episode: StepEpisode, _ title: String, _ tally: inout Tally
  ) throws {
    let torn = moment.filesBefore.map { moment.files.torn(since: $0) } ?? []
    for files in [moment.files] + torn where tally.faults == 0 {
      tally.points += 1
      say(try StepCopy(episode, files).judge(), "\(title), \(moment.place)", &tally)
    }
  }

  /// The term is over: the world itself is judged.
  func finish(_ episode: StepEpisode, _ title: String, _ tally: inout Tally) throws {
    try episode.finish()
    let terms = episode.thread.marks
    if terms != 1 { episode.world.faults.add("who was stepped took office \(terms) times") }
    try settle(episode, nil, [:])
    say(episode.world.faults.all, title, &tally)
  }

  func settle(
    _ episode: StepEpisode, _ heir: MirroredBus?, _ others: [String: Int]
  ) throws {
    let world = episode.world
    let heir = try heir ?? world.bus.open(isCandidate: true, world.faults)
    episode.waiter.join()
    let least = others.merging(["waiter": StepWaiter.messages]) { $1 }
    try world.settle(heir, of: world.bus, least: least, world.faults)
  }

  func say(_ faults: [String], _ title: String, _ tally: inout Tally) {
    guard !faults.isEmpty else { return }
    tally.faults += 1
    for fault in faults { print("FAULT \(title): \(fault)") }
  }
}
