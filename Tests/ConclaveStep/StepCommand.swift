import Glibc
import StepTracer

/// Death, and stopping, at every instruction of what participants do with the ring.
enum StepCommand {
  static let usage = """
    usage: conclave-step [--places N] [--field NAME] [--defect] [WAY] [ACTION]
           conclave-step storm [--kills N] [--cycles N] [--seed N] [--defect]
           conclave-step calls [--places N] [--defect]
           conclave-step stalls [--kills N]
           conclave-step images [--count N] [--seed N] [--image N] [--workers N]
           conclave-step mirror [--places N] [--defect NAME] [WAY]
    With --from 31, 32, 63 or 64, in any of them but mirror, the ring begins at position 2^N - 2,
    its lanes at as many granules, and events, generations and counts of reuse likewise.
    Ways: \(Way.allCases.map(\.rawValue).joined(separator: ", ")). Without one, all of them.
    A process that publishes, receives, joins or leaves is single-stepped, and killed (kill) at
    each instruction, each time a new one; or stopped there while the others go two laps, and
    continued (stop). Or a copy of the ring is judged behind each instruction, as if the process
    had died just then (snapshot); or one is killed at each instruction, and a copy is judged
    behind each instruction of the one that comes after it (pairs). The others must go on at
    once, receive exactly what was published, once and in order, and be able to take the place
    that is left.
    Or somebody hostile changes a word of the segment just then, each word that the action may
    read to each of some twenty values (flip), or cuts the file off at the end of each of its
    parts (truncate). The process must not die, must come to its end, and must hand out nothing
    that nobody published; who cannot go on must say so, and all that the word does not concern
    must come, once. Only a record's own bytes are believed as they lie there: that is counted.
    `fetches` counts by watchpoints how often each word is fetched: what is checked and what is
    used must be one value.
    --field takes only the words whose name begins so. With --defect a reader that fetches a
    record's length twice is tried instead, which must be noticed.
    Actions: \(actions.map(name).joined(separator: ", ")), create.
    With --places at most about so many instructions are tried of each case, evenly spread; with
    `snapshot` it is how many copies are judged of each case (default \(snapshots)), and `flip`
    makes \(STEP_ACTS_OF_A_SAMPLE) changes at each.

    """

  private enum Way: String, CaseIterable {
    case kill, stop, snapshot, pairs, flip, truncate, fetches

    /// nil: it is not an attack.
    var hostility: step_hostility? {
      switch self {
      case .flip: STEP_FLIP
      case .truncate: STEP_TRUNCATE
      case .kill, .stop, .snapshot, .pairs, .fetches: nil
      }
    }
  }

  private static let snapshots: UInt64 = 80_000

  static func main(_ allWords: [String]) -> Int32 {
    guard let words = StepOrigin.take(from: allWords) else {
      print(usage, terminator: "")
      return 2
    }
    if words.first == "calls" { return CallsCommand.main(Array(words.dropFirst())) }
    if words.first == "stalls" { return StallsCommand.main(Array(words.dropFirst())) }
    if words.first == "images" { return ImagesCommand.main(Array(words.dropFirst())) }
    if words.first == "mirror" { return MirrorCommand.main(Array(words.dropFirst())) }
    if words.first == "storm" { return StormCommand.main(Array(words.dropFirst())) }
    var (ways, actions, places) = (Way.allCases, actions, UInt64(0))
    var creates = true
    var attack = StepAttack()
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--places", let count = rest.popFirst().flatMap({ UInt64($0) }), count > 0 {
        places = count
      } else if word == "--field", let name = rest.popFirst() {
        attack.field = name
      } else if word == "--defect" {
        attack.hasDefect = true
      } else if let way = Way(rawValue: word) {
        ways = [way]
      } else if let action = actions.first(where: { name($0) == word }) {
        (actions, creates) = ([action], false)
      } else if word == "create" {
        actions = []
      } else {
        print(usage, terminator: "")
        return 2
      }
    }
    var tally = Tally()
    if ways.contains(.truncate) { tally.add(attack.tryStrangers()) }
    for way in ways {
      if let hostility = way.hostility {
        attack.hostility = hostility
        attack.places = places
        for what in actions.flatMap(attack.cases) {
          tally.add(attack.run("\(way.rawValue) \(title(what))", what))
        }
      } else if way == .fetches {
        for what in actions.flatMap(attack.cases) {
          tally.add(attack.countFetches(title(what), what))
        }
      } else if way == .pairs {
        for (first, second) in pairs where actions.contains(first.action) {
          tally.add(tryPair(first, second, places))
        }
      } else {
        for what in actions.flatMap(cases) { tally.add(tryOne(way, what, places)) }
      }
      if creates, way == .kill || way == .stop { tally.add(tryCreation(way, places)) }
      if creates, way == .kill { tally.add(tryForks()) }
    }
    guard tally.points > 0 else {
      print("there is nothing to try: no such way of that action")
      return 2
    }
    print("\(tally.points) in all, \(tally.faults) faults")
    return tally.faults == 0 ? 0 : 1
  }

  private struct Tally {
    var points: UInt64 = 0
    var faults = 0

    mutating func add(_ result: (points: UInt64, isGood: Bool)) {
      points += result.points
      faults += result.isGood ? 0 : 1
    }
  }

  private static let actions = (0..<STEP_ACTIONS.rawValue).map { step_action(rawValue: $0) }

  private static func name(_ action: step_action) -> String {
    unsafe String(cString: step_action_name(action))
  }

  /// Messages of one line, of several, and of so many that a lane's end is met soon.
  private static func cases(of action: step_action) -> [step_case] {
    let isAboutMessages = [STEP_PUBLISH, STEP_RECEIVE, STEP_CONSUME].contains(action)
    let sizes: [UInt32] = isAboutMessages ? [8, 200, 2000] : [200]
    let cases = sizes.map { step_case(action: action, bytes: $0, before: 3, asleep: 0) }
    guard action == STEP_PUBLISH else { return cases }
    return cases + [step_case(action: action, bytes: 200, before: 3, asleep: 1)]
  }

  /// A lane whose owner died gets a new one, which dies as well.
  private static var pairs: [(step_case, step_case)] {
    let publish = step_case(action: STEP_PUBLISH, bytes: 200, before: 1, asleep: 0)
    let join = step_case(action: STEP_JOIN, bytes: 200, before: 0, asleep: 0)
    let leave = step_case(action: STEP_LEAVE, bytes: 200, before: 0, asleep: 0)
    let keep = step_case(action: STEP_KEEP, bytes: 200, before: 3, asleep: 0)
    let succeed = step_case(action: STEP_SUCCEED, bytes: 200, before: 3, asleep: 0)
    return [
      (publish, join), (publish, publish), (join, join), (join, publish), (leave, join),
      (keep, succeed), (succeed, succeed),
    ]
  }

  /// Who is killed has nothing any more, whatever children it has forked.
  private static func tryForks() -> (points: UInt64, isGood: Bool) {
    let isGood = step_forks_hold_nothing() == 1
    if !isGood { print("FAULT kill: a child that lives keeps what its killed parent held") }
    return (1, isGood)
  }

  private static func tryOne(
    _ way: Way, _ what: step_case, _ places: UInt64
  ) -> (points: UInt64, isGood: Bool) {
    var (what, result) = (what, step_result())
    let failure =
      switch way {
      case .kill: unsafe step_kill_sweep(&what, places, &result)
      case .stop: unsafe step_stop_sweep(&what, places, &result)
      case .snapshot, .pairs, .flip, .truncate, .fetches:
        unsafe step_snapshot_sweep(&what, places > 0 ? places : snapshots, &result)
      }
    return report("\(way.rawValue) \(title(what))", failure, result)
  }

  private static func tryCreation(
    _ way: Way, _ places: UInt64
  ) -> (points: UInt64, isGood: Bool) {
    var result = step_result()
    let failure = unsafe step_creation_sweep(places, way == .kill ? 1 : 0, &result)
    return report("\(way.rawValue) create", failure, result)
  }

  private static func tryPair(
    _ first: step_case, _ second: step_case, _ places: UInt64
  ) -> (points: UInt64, isGood: Bool) {
    var (first, second, result) = (first, second, step_result())
    let failure = unsafe step_pair_sweep(&first, &second, places, &result)
    return report("pairs \(title(first)), then \(title(second))", failure, result)
  }

  private static func title(_ what: step_case) -> String {
    let wakes = what.asleep != 0 ? " that wakes" : ""
    return "\(name(what.action)) of \(what.bytes) bytes\(wakes)"
  }

  private static func report(
    _ title: String, _ failure: Int32, _ result: step_result
  ) -> (points: UInt64, isGood: Bool) {
    print("\(title): \(result.points) places in \(result.length) instructions")
    return (result.points, result.isGood(title, failure))
  }
}
