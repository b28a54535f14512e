/// Tells whether messages come to a subscription as a stream: so often that being told of each
/// costs its publishers more time than they need to append it, and costs the subscriber a look at
/// the files for every one or two. Then looking once a millisecond does for all of them.
///
/// It takes many looks with something to see to call it a stream, not many messages: rare batches
/// are none, and neither are questions and answers, which would wait for each other.
struct StreamPace {
  /// How many looks in a millisecond must have found something for a stream to begin, and how many
  /// messages must come in each for it to go on.
  static let enough: UInt64 = 32
  /// The time over which to judge whether a stream begins.
  static let window: UInt64 = 1_000_000
  /// The time over which to judge whether it goes on: publishers may all stand still for some
  /// milliseconds, when the one that holds the lock has to wait for a processor.
  static let streamWindow: UInt64 = 10_000_000
  /// After a stream has ended nothing is called one again for so long. So what was mistaken for one
  /// is slowed down for a tenth of the time at most.
  static let pause: UInt64 = 100_000_000

  private(set) var isStream = false
  private var began: UInt64
  private var looks: UInt64 = 0
  private var messages: UInt64 = 0
  private var earliest: UInt64 = 0

  /// - Parameter now: monotonic, in nanoseconds, as below.
  init(at now: UInt64) { began = now }

  /// A look at the files has brought `count` messages.
  mutating func note(_ count: Int, at now: UInt64) {
    if count > 0 {
      looks += 1
      messages += UInt64(count)
    }
    let elapsed = now &- began
    guard elapsed >= (isStream ? StreamPace.streamWindow : StreamPace.window) else { return }
    let isEnough = (isStream ? messages : looks) >= elapsed / 1_000_000 * StreamPace.enough
    if isStream, !isEnough { earliest = now + StreamPace.pause }
    isStream = isEnough && now >= earliest
    (began, looks, messages) = (now, 0, 0)
  }

  /// Nothing is called a stream any more.
  mutating func giveUp() {
    isStream = false
    earliest = .max
  }
}
