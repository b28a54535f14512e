import ConclaveBus
import Glibc

/// What is published before a power cut.
enum CutWorld: String, CaseIterable {
  /// Each round of syncs that somebody waits for takes the messages along for which nobody does.
  case mixed
  /// Nobody waits for the disk: only the mirror's own interval brings anything there.
  case mirrored

  func durability(of number: Int) -> Durability {
    self == .mixed && number % 3 != 0 ? .synced : .mirrored
  }

  /// How much longer than its interval a mirror may take, in nanoseconds.
  var slack: UInt64 { self == .mixed ? 1_000_000_000 : 3_000_000_000 }

  /// For how long a worker publishes before the cut, in microseconds. Where nobody waits for the
  /// disk, for longer than the bound, and far less than the time after which the kernel writes by
  /// itself.
  func life(_ cut: Int) -> UInt32 {
    let short = UInt32(30_000 + (cut * 7919) % 60_000)
    return self == .mixed ? short : 3_500_000 + 20 * short
  }

  /// How many cuts there are here when so many are asked for: long lives are few.
  func share(_ cuts: Int) -> Int { self == .mixed ? max(10, cuts) : max(3, cuts / 10) }
}
