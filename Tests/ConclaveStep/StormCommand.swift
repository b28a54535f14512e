import Glibc
import StepTracer

/// Many participants at once, killed and stopped at random moments, and an account of each message.
enum StormCommand {
  static let usage = """
    usage: conclave-step storm [--kills N] [--cycles N] [--seed N] [--defect]
    50 publishers and 5 subscribers, two of whom lose nothing, besides three that are killed like
    publishers, and one that keeps, as the mirror does, which is killed and followed: 10,000 kills
    (--kills) and nearly as many stops at random moments. At the end sent must be what was
    delivered and what was reported lost, for each message, exactly; what keeps
    must have all; every place must be free again, and no file and no descriptor be left. With
    --cycles one publisher after the other, each killed within a millisecond: for 100,000 lives.
    With --defect publishers say that they have sent what they have not, which must be noticed.

    """

  static func main(_ words: [String]) -> Int32 {
    var storm = step_storm(kills: 10_000, seed: UInt64(time(nil)), is_alone: 0, defect: 0)
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--defect" {
        storm.defect = 1
      } else if ["--kills", "--cycles"].contains(word), let count = number(&rest), count > 0 {
        storm.kills = count
        storm.is_alone = word == "--cycles" ? 1 : 0
      } else if word == "--seed", let seed = number(&rest) {
        storm.seed = seed
      } else {
        print(usage, terminator: "")
        return 2
      }
    }
    guard storm.is_alone == 0 || storm.kills <= mostCycles else {
      print("there can be at most \(mostCycles) cycles in one storm")
      return 2
    }
    return run(storm)
  }

  private static let mostCycles: UInt64 = 400_000

  private static func number(_ words: inout ArraySlice<String>) -> UInt64? {
    words.popFirst().flatMap { UInt64($0) }
  }

  private static func run(_ storm: step_storm) -> Int32 {
    var (storm, result) = (storm, step_storm_result())
    let start = ContinuousClock.now
    let failure = unsafe step_storm_run(&storm, &result)
    let seconds = Int(start.duration(to: .now) / .seconds(1))
    print(
      "storm \(storm.seed): \(result.kills) publishers and \(result.deaths) subscribers killed, "
        + "\(result.stops) stopped, \(result.lives) lives, \(result.messages) messages, "
        + "\(result.lost) reported lost, \(seconds) s")
    let fault = unsafe withUnsafeBytes(of: result.fault) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if failure != 0 { print("FAULT storm \(storm.seed): could not be tried: \(failure)") }
    if !fault.isEmpty { print("FAULT storm \(storm.seed): \(fault)") }
    return failure == 0 && fault.isEmpty ? 0 : 1
  }
}
