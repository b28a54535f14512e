import ConclaveBus
import Glibc

/// What ends a run although no task has failed.
extension FleetRun {
  /// What would meet every task is no reason to lose them one after the other.
  mutating func stopIfHindered(_ result: TaskResult) {
    guard let code = result.hindrance else { return }
    stop(BusError(code, result.reason))
  }

  /// Ends the run since the branch could not be moved. Whoever ends the whole run ends git, too,
  /// and then that is why.
  mutating func hinder(_ error: BusError) -> FleetOutcome.End {
    if isStopping { return .interrupted }
    guard error.isCommon else { return .hindered(error) }
    stop(error)
    return .interrupted
  }

  private mutating func stop(_ error: BusError) {
    guard hindrance == nil else { return }
    hindrance = error
    stop.stop(.terminate)
  }

  /// Whether this process is asked to end, too. A signal may come to it a moment later than to git.
  var isStopping: Bool {
    var wanted = pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)
    if stop.reason == nil { _ = unsafe poll(&wanted, 1, 1000) }
    return stop.reason != nil
  }
}
