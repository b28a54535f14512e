/// Whether messages come so fast that the mirror had better doze between two batches than be woken
/// by the next publish: a wake-up costs the publisher as much as a hundred publishes.
struct MirrorPace {
  private var windowBegan: UInt64 = 0
  private var records = 0
  private var dozesUntil: UInt64 = 0

  /// How long a doze is, nanoseconds: what is published meanwhile is that late in the files, if
  /// nobody waits for it.
  static let doze: UInt64 = 1_000_000
  /// How long messages may stay away before the mirror sleeps until the next one.
  private static let linger: UInt64 = 10_000_000
  /// From how many in a doze's time on they come fast.
  private static let few = 16

  mutating func note(_ count: Int) { records += count }

  /// Whether to doze now (CLOCK_MONOTONIC nanoseconds), rather than to sleep.
  mutating func dozes(at now: UInt64) -> Bool {
    let elapsed = now &- windowBegan
    if elapsed >= MirrorPace.doze {
      if UInt64(records) * MirrorPace.doze >= UInt64(MirrorPace.few) * elapsed {
        dozesUntil = now &+ MirrorPace.linger
      }
      windowBegan = now
      records = 0
    }
    return now < dozesUntil
  }
}
