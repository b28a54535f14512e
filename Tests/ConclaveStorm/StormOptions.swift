/// What kind of storm it is.
struct StormOptions {
  var kills = 1000
  var workers = 6
  var seed: UInt64 = 1
  var largest = 100_000
  /// Ends a storm that does not get on, in seconds.
  var limit = 1800

  static let usage = """
    usage: conclave-storm [--kills N] [--workers N] [--seed N] [--largest BYTES]
           conclave-storm --sweep kills|errors|short
           conclave-storm --cuts N
    Publishers of a mirrored bus, each a candidate for the mirror, are killed with SIGKILL
    and started again. In the end every acknowledged message must be in the topic files,
    every message of every sender without a hole, nothing twice, nothing damaged, and a
    subscriber must have had the same. With --sweep a mirror is killed at each of its system
    calls (or each fails once) and another goes on; this needs strace. With --cuts the power
    is cut so often, on a disk in a file; this needs root.
    """

  /// nil when the words make no sense.
  init?(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { return nil }
      switch word {
      case "--kills": kills = value
      case "--workers": workers = value
      case "--seed": seed = UInt64(value)
      case "--largest": largest = value
      case "--limit": limit = value
      default: return nil
      }
    }
  }
}
