import CShim

/// Group commit: publishers that wait for the disk are woken together, and publish together again.
/// A sync that began with the first of them would make all others wait for the next one. So the
/// mirror waits until as many are there as the last time, but no longer than a sync takes. A
/// publisher that is alone waits for nobody.
///
/// The idea is that of the "group commit" of databases: DeWitt et al., "Implementation Techniques
/// for Main Memory Database Systems", 1984.
struct SyncGroup {
  private var expected = 0
  private var began: UInt64 = 0
  private var duration: UInt64 = 0
  private var waitsSince: UInt64?

  private static let longestWait: UInt64 = 1_000_000

  /// Whether to wait for more than these `requests`.
  mutating func isIncomplete(_ requests: Int) -> Bool {
    guard requests > 0, requests < expected else {
      waitsSince = nil
      return false
    }
    let now = conclave_monotonic_ns()
    let since = waitsSince ?? now
    waitsSince = since
    if now - since < min(duration, SyncGroup.longestWait) { return true }
    waitsSince = nil
    return false
  }

  /// A sync begins that serves so many.
  mutating func begin(_ requests: Int) {
    waitsSince = nil
    expected = requests
    began = conclave_monotonic_ns()
  }

  mutating func end() { duration = conclave_monotonic_ns() - began }
}
