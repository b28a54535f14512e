import Glibc
import StepTracer

/// Somebody hostile at every instruction.
struct StepAttack {
  var hostility = STEP_FLIP
  var places: UInt64 = 0
  /// Only words whose name begins so.
  var field = ""
  var hasDefect = false

  /// Of a publisher also one that finds no room, and one that wakes somebody.
  func cases(of action: step_action) -> [step_case] {
    guard step_can_attack(action) != 0, !hasDefect || action == STEP_RECEIVE else { return [] }
    let plain = step_case(action: action, bytes: 200, before: 0, asleep: 0)
    guard action == STEP_PUBLISH else { return [plain] }
    return [
      plain, step_case(action: action, bytes: 8, before: 64, asleep: 0),
      step_case(action: action, bytes: 400, before: 0, asleep: 1),
    ]
  }

  func run(_ title: String, _ what: step_case) -> (points: UInt64, isGood: Bool) {
    var (what, result) = (what, step_result())
    let failure = unsafe field.withCString { name in
      var attack = unsafe step_attack(
        hostility: hostility, defect: hasDefect ? STEP_DOUBLE_FETCH : STEP_SOUND, places: places,
        field: field.isEmpty ? nil : name)
      return unsafe step_attack_sweep(&what, &attack, &result)
    }
    let bad = "\(result.deaths) deaths, \(result.hangs) without end, \(result.wrongs) wrong"
    let said = "\(result.believed) records believed, \(result.stalled) times waiting"
    print(
      "\(title): \(result.points) acts at \(result.length) instructions, \(bad); \(said); "
        + "the longest took \(result.longest_ns / 1000) us")
    return (result.points, result.isGood(title, failure))
  }
}

extension StepAttack {
  /// Signals that are none of a segment's business.
  func tryStrangers() -> (points: UInt64, isGood: Bool) {
    var tried: UInt32 = 0
    let wrong = unsafe step_try_strangers(&tried)
    if wrong > 0 { print("FAULT truncate: \(wrong) SIGBUS of somebody else's are not left alone") }
    return (UInt64(tried), wrong == 0)
  }

  /// How often each word is fetched.
  func countFetches(_ title: String, _ what: step_case) -> (points: UInt64, isGood: Bool) {
    var (what, fetches) = (what, step_fetches())
    let failure = unsafe step_count_fetches(
      &what, hasDefect ? STEP_DOUBLE_FETCH : STEP_SOUND, &fetches)
    guard failure != ENOTSUP else {
      print("fetches of \(title): this machine has no watchpoints")
      return (0, true)
    }
    let counts = unsafe withUnsafeBytes(of: fetches.counts) { bytes in
      unsafe Array(bytes.bindMemory(to: step_fetch_count.self).prefix(Int(fetches.count)))
    }
    print(
      "fetches of \(title): "
        + counts.map { "\($0.name) \($0.fetches)" }.joined(separator: ", "))
    for count in counts where count.fetches > count.allowed {
      print(
        "FAULT fetches of \(title): \(count.name) \(count.fetches) times, "
          + "not \(count.allowed)")
    }
    if failure != 0 { print("FAULT fetches of \(title): could not be counted: \(failure)") }
    fflush(nil)
    let isGood = failure == 0 && counts.allSatisfy { $0.fetches <= $0.allowed }
    return (counts.reduce(0) { $0 + UInt64($1.fetches) }, isGood)
  }
}

extension step_fetch_count {
  fileprivate var name: String {
    unsafe withUnsafeBytes(of: field) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

extension step_result {
  /// Tells what is wrong.
  func isGood(_ title: String, _ failure: Int32) -> Bool {
    let fault = unsafe withUnsafeBytes(of: fault) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if failure != 0 { print("FAULT \(title): could not be tried: \(failure)") }
    if !fault.isEmpty { print("FAULT \(title), place \(place): \(fault)") }
    fflush(nil)
    return failure == 0 && fault.isEmpty
  }
}
