/// What kind of storm it is.
struct StormOptions {
  var kills = 1000
  /// Publishers.
  var workers = 5
  let subscribers: [StormRole] = [.dropping, .waiting, .member, .member]
  var seed: UInt64 = 1
  var largest = 100_000
  /// Ends a storm that does not get on, in seconds.
  var limit = 1800
  /// Whether somebody sets the wall clock all the time.
  var stepsClock = false

  static let usage = """
    usage: conclave-storm [--kills N] [--workers N] [--seed N] [--largest BYTES] [--clock-steps]
           conclave-storm --sweep kills|errors|short|torn|sessions [--every N]
           conclave-storm --cuts N
           conclave-storm --fleet N [--seed N] [--jobs N]
           conclave-storm --fleet-defects
    Publishers of a mirrored bus, each a candidate for the mirror, and subscribers of all
    kinds are killed with SIGKILL and started again; one in ten is asked to end in order. In
    the end every acknowledged message must be in the topic files, every message of every
    sender without a hole, nothing twice, nothing damaged; each subscriber must have had the
    same from where it began, without a hole to its former life; and of a durable group each
    message must have been acknowledged, and none have come again that was.
    With --clock-steps somebody sets the wall clock a hundred times a second meanwhile, forwards
    and backwards by up to an hour: nothing may come of it but odd time stamps.
    With --sweep a mirror is killed at each of its system calls (kills), or each fails once
    (errors), its writes are cut short (short), or it dies in the middle of a line (torn),
    and another goes on; or a session is killed at each (sessions). All but `short` need
    strace. With --every only every so manieth of the places is tried.
    With --cuts the power is cut so often (ten times at least), on a disk in a file, while
    some wait for the disk; and then a tenth as often, three times at least, while nobody
    does. Needs root.
    With --fleet so many runs of a plan (conclave parallel-run) are ended at random moments, by
    SIGINT, SIGTERM and SIGKILL, and gone on with: in the end the tree must be that of a run
    that nobody disturbs, the user's files untouched, and nothing left; after a SIGKILL
    conclave doctor must name what is. --fleet-defects plants each defect that the judge is
    there for into a world, and demands that it be noticed.
    In a debug build, --defect NAME runs each of these with a defect, which must be noticed.
    """

  /// nil when the words make no sense.
  init?(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--clock-steps" {
        stepsClock = true
        continue
      }
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
