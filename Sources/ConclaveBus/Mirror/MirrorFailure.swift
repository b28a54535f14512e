import CShim
import SharedRing

/// How a mirror gets on while it cannot write: it tries again, ever more rarely, and says so.
struct MirrorFailure {
  private(set) var isFailing = false
  private var pause = MirrorFailure.pauses.shortest
  private var nextAttempt: UInt64 = 0

  private static let pauses: (shortest: UInt64, longest: UInt64) = (10_000_000, 500_000_000)

  /// Whether to try again now, or to wait.
  var isDue: Bool { conclave_monotonic_ns() >= nextAttempt }
  var nextAttemptNanoseconds: UInt64 { nextAttempt }

  mutating func note() {
    isFailing = true
    nextAttempt = conclave_monotonic_ns() + pause
    pause = min(pause * 2, MirrorFailure.pauses.longest)
  }

  mutating func recover() {
    isFailing = false
    pause = MirrorFailure.pauses.shortest
    nextAttempt = 0
  }
}

extension Mirror {
  /// Commits what is at hand, however long it takes; or gives it up where the policy says so, or
  /// when it has to end.
  ///
  /// - Returns: whether it is done with; if not, it is a successor's to write.
  func commitPersistently() -> Bool {
    repeat {
      if failure.isFailing, !failure.isDue {
        if options.whenFailing == .continueUnmirrored {
          giveUp(upTo: ring.position)
          return true
        }
        conclave_pace_until(min(failure.nextAttemptNanoseconds, conclave_monotonic_ns() + nap))
        continue
      }
      do throws(BusError) {
        try commit(at: ring.position, chains: ring.openChains)
        if failure.isFailing { sayRecovered() }
        return true
      } catch { say(error) }
    } while !isToEnd
    return false
  }

  private var nap: UInt64 { 20_000_000 }

  private func say(_ error: BusError) {
    let isNews = !failure.isFailing
    failure.note()
    board.setTrouble(error.code.number)
    if isNews { options.onWarning?(.mirrorFailing(reason: error.message)) }
  }

  private func sayRecovered() {
    failure.recover()
    board.setTrouble(0)
    options.onWarning?(.mirrorRecovered)
  }
}

extension BusError.Code {
  /// As it stands on the board: never 0.
  var number: Int32 { Int32(BusError.Code.allCases.firstIndex(of: self) ?? 0) + 1 }

  init?(number: Int32) {
    guard number > 0, Int(number) <= BusError.Code.allCases.count else { return nil }
    self = BusError.Code.allCases[Int(number) - 1]
  }
}
