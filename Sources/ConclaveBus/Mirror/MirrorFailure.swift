import CShim
import SharedRing

/// How the mirror gets on with what it cannot write: it tries again, ever more rarely.
struct MirrorFailure {
  /// Why the last attempt failed; nil: it did not.
  private(set) var code: BusError.Code?
  /// Whether it is worth telling: a lock that somebody has only just kept is not.
  private(set) var isTrouble = false
  private var since: UInt64 = 0
  private var pause = MirrorFailure.pauses.shortest
  /// When to try again (CLOCK_MONOTONIC nanoseconds).
  private(set) var nextAttempt: UInt64 = 0

  /// How long a file's lock may be kept. Who has it needs microseconds, and where many want the
  /// processors a little longer.
  static let longestLock = Duration.seconds(1)
  private static let pauses: (shortest: UInt64, longest: UInt64) = (10_000_000, 500_000_000)

  var isFailing: Bool { code != nil }

  /// Whether to try now; always, unless the last attempt failed.
  var isDue: Bool { code == nil || conclave_monotonic_ns() >= nextAttempt }

  /// - Returns: whether it has become trouble with this attempt.
  mutating func note(_ reason: BusError.Code) -> Bool {
    let now = conclave_monotonic_ns()
    if code == nil { since = now }
    code = reason
    nextAttempt = now + pause
    pause = min(pause * 2, MirrorFailure.pauses.longest)
    let wasTrouble = isTrouble
    let isLong = now - since >= MirrorFailure.longestLock.nanosecondsSaturated
    isTrouble = isTrouble || reason != .busy || isLong
    return isTrouble && !wasTrouble
  }

  /// A mirror before this one could not write it, for this reason: to be tried at once.
  mutating func inherit(_ reason: BusError.Code) {
    code = code ?? reason
    isTrouble = true
  }

  /// There may be no later attempt.
  mutating func hasten() { nextAttempt = 0 }

  mutating func recover() { self = MirrorFailure() }
}

extension BusError.Code {
  /// As it stands on the board: never 0.
  var number: Int32 { Int32(BusError.Code.allCases.firstIndex(of: self) ?? 0) + 1 }

  init?(number: Int32) {
    guard number > 0, Int(number) <= BusError.Code.allCases.count else { return nil }
    self = BusError.Code.allCases[Int(number) - 1]
  }
}

extension Topic {
  /// What stands for the topic where the mirror says of what its trouble is: never 0. Two topics
  /// may have the same; then what is said of one is taken to be said of both.
  var subject: UInt32 {
    let name = Array(name.utf8)
    let hash = unsafe name.withUnsafeBytes {
      unsafe SipHash.digest($0, key: SipHash.Key(first: 0, second: 0)).first
    }
    return max(1, UInt32(truncatingIfNeeded: hash))
  }
}
