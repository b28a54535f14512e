import CShim

/// Group commit: publishers that wait for the disk are woken together, and publish together again.
/// A sync that began with the first of them would make all others wait for the next one. So the
/// mirror waits until as many are there as the last time, but no longer than two syncs take. A
/// publisher that is alone waits for nobody.
///
/// The idea is that of the "group commit" of databases: DeWitt et al., "Implementation Techniques
/// for Main Memory Database Systems", 1984.
struct SyncGroup {
  private var expected = 0
  private var began: UInt64 = 0
  private var ended: UInt64 = 0
  private var waitsSince: UInt64?

  private static let longestWait: UInt64 = 1_000_000

  private var patience: UInt64 { min(2 * (ended &- began), SyncGroup.longestWait) }

  /// For whom to wait before a sync serves these `requests`: how many more, and until when at most
  /// (CLOCK_MONOTONIC nanoseconds); nil: for nobody.
  mutating func missing(_ requests: Int) -> (count: Int, deadline: UInt64)? {
    guard requests > 0, requests < expected else {
      waitsSince = nil
      return nil
    }
    let now = conclave_monotonic_ns()
    let since = waitsSince ?? (now &- ended < patience ? ended : now)
    waitsSince = since
    if now < since &+ patience { return (expected - requests, since &+ patience) }
    waitsSince = nil
    return nil
  }

  /// How many are about to publish again, since the last sync has just released them, and until
  /// when to expect them; nil: nobody.
  func returning(_ now: UInt64) -> (count: Int, deadline: UInt64)? {
    expected > 1 && now < ended &+ patience ? (expected, ended &+ patience) : nil
  }

  /// A sync begins that serves so many.
  mutating func begin(_ requests: Int) {
    waitsSince = nil
    expected = requests
    began = conclave_monotonic_ns()
  }

  mutating func end() { ended = conclave_monotonic_ns() }
}
