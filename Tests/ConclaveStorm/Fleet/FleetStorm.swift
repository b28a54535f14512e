import BusTesting
import Glibc
import SharedRing

/// Kills runs of plans by the thousand: a round each, in a world of its own.
///
/// `conclave-storm --fleet 1000`
struct FleetStorm {
  struct Options {
    var rounds = 1000
    /// At once.
    var jobs = 2
    /// Of the first round; the next one has the next.
    var seed: UInt64 = 1

    /// nil when the words make no sense.
    init?(_ words: [String]) {
      var rest = words[...]
      while let word = rest.popFirst() {
        guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { return nil }
        switch word {
        case "--fleet": rounds = value
        case "--jobs": jobs = value
        case "--seed": seed = UInt64(value)
        default: return nil
        }
      }
    }
  }

  private struct State {
    var next = 0
    var done = 0
    var failed = 0
    var tally = FleetTally()

    mutating func take(_ rounds: Int) -> Int? {
      guard next < rounds else { return nil }
      next += 1
      return next - 1
    }
  }

  private let root: String
  private let template: FleetWorld
  private let reference: FleetReference

  /// Makes the world and runs its plan once, undisturbed.
  private init() throws {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    root = "\(parent)/conclave-fleet-\(getpid())"
    guard unsafe mkdir(root, 0o700) == 0 else { throw SystemFailure("make \(root)") }
    template = try FleetWorld(making: "\(root)/template")
    let world = try FleetWorld(copying: template, to: "\(root)/undisturbed")
    reference = try FleetReference(world)
    removeTree(world.home)
  }

  /// Removes what is not kept.
  private func clear() {
    removeTree(template.home)
    unsafe rmdir(root)
    removeSegments(leftBy: root)
  }

  /// - Returns: whether nothing was wrong.
  static func run(_ options: Options) async throws -> Bool {
    let storm = try FleetStorm()
    defer { storm.clear() }
    let start = ContinuousClock.now
    let state = Lock(State())
    try await onThreads(options.jobs) { _ in
      while let index = state.withLock({ $0.take(options.rounds) }) {
        let (tally, isGood) = try storm.round(options.seed &+ UInt64(index))
        state.withLock { state in
          state.done += 1
          state.failed += isGood ? 0 : 1
          state.tally.add(tally)
          FleetProgress.show(state.done, of: options.rounds, failed: state.failed)
        }
      }
    }
    let (failed, tally) = state.withLock { ($0.failed, $0.tally) }
    FleetProgress.clear()
    let seconds = Int(start.duration(to: .now) / .seconds(1))
    print(
      "\(options.rounds) rounds from seed \(options.seed), \(tally.text); undisturbed a run takes "
        + "\(Int(storm.reference.seconds * 1000)) ms; \(failed) rounds went wrong; \(seconds) s")
    return failed == 0
  }

  /// Plants each defect once: each must be noticed.
  static func runDefects() throws -> Bool {
    let storm = try FleetStorm()
    defer { storm.clear() }
    var isGood = true
    for defect in FleetDefect.allCases {
      let faults = try storm.faults(with: defect)
      let isNoticed = faults.contains { $0.contains(defect.sign) }
      print("\(defect): \(isNoticed ? "noticed" : "NOT NOTICED"): \(faults)")
      isGood = isGood && isNoticed
    }
    return isGood
  }

  private func faults(with defect: FleetDefect) throws -> [String] {
    for seed in 1...100 {
      let world = try FleetWorld(copying: template, to: "\(root)/\(defect)-\(seed)")
      var round = try FleetRound(world, reference, seed: UInt64(seed), defect: defect)
      try round.run()
      round.keep()
      removeTree(world.home)
      // Some runs are over before they are hit.
      if defect != .nameless || round.tally.looks > 0 { return round.faults }
    }
    return []
  }

  private func round(_ seed: UInt64) throws -> (FleetTally, isGood: Bool) {
    let world = try FleetWorld(copying: template, to: "\(root)/\(seed)")
    var round = try FleetRound(world, reference, seed: seed)
    do { try round.run() } catch {
      round.keep()
      Report.fault("seed \(seed): \(error); see \(world.home)")
      return (round.tally, false)
    }
    guard round.faults.isEmpty else {
      round.keep()
      FleetProgress.clear()
      for fault in round.faults { Report.fault("seed \(seed): \(fault)") }
      Report.say("to see it again: --fleet 1 --seed \(seed); what there was: \(world.home)")
      return (round.tally, false)
    }
    removeTree(world.home)
    removeSegments(leftBy: world.home)
    return (round.tally, true)
  }
}

/// On a terminal a line that is written over and over, otherwise one now and then.
private enum FleetProgress {
  private static let isWatched = isatty(STDERR_FILENO) == 1

  static func show(_ done: Int, of all: Int, failed: Int) {
    let text = "\(done) of \(all) rounds, \(failed) went wrong"
    if isWatched { say("\r\(text)\u{1B}[K") } else if done % 50 == 0 { say("\(text)\n") }
  }

  static func clear() { if isWatched { say("\r\u{1B}[K") } }

  private static func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }
}
