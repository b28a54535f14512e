import Glibc
import StepTracer

/// Segments of any contents, by the million.
enum ImagesCommand {
  static let usage = """
    usage: conclave-step images [--count N] [--seed N] [--image N] [--workers N]
    A ring that has gone round gets one to four of its words changed, at random and to values that
    a mistake or an enemy would choose: ten million times (--count), each time another. Who
    receives what is there, with back pressure or without, must not die, must come to an end, must
    go on from message to message, and must hand out nothing that nobody published, unless a
    record's own bytes or its lane's account of itself were changed: those are believed, and
    counted. In every eighth image somebody publishes and looks; in every 512th somebody opens it,
    with a damaged header as well, and joins. An image is known by the seed and its number: with
    --image N only that one is tried. There are as many processes as processors (--workers).

    """

  private static let standardCount: UInt64 = 10_000_000
  private static let mostWorkers: UInt64 = 64

  static func main(_ words: [String]) -> Int32 {
    var what = step_images()
    what.count = standardCount
    what.seed = UInt64(time(nil))
    what.workers = UInt32(max(1, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), Int(mostWorkers))))
    var rest = words[...]
    while let word = rest.popFirst() {
      guard let number = rest.popFirst().flatMap({ UInt64($0) }) else { return refuse() }
      switch word {
      case "--count" where number > 0: what.count = number
      case "--seed": what.seed = number
      case "--image": (what.first, what.count, what.workers) = (number, 1, 1)
      case "--workers" where (1...mostWorkers).contains(number): what.workers = UInt32(number)
      default: return refuse()
      }
    }
    return run(what)
  }

  private static func refuse() -> Int32 {
    print(usage, terminator: "")
    return 2
  }

  private static func run(_ what: step_images) -> Int32 {
    var (what, result) = (what, step_images_result())
    let start = ContinuousClock.now
    let failure = unsafe step_images_run(&what, &result)
    let seconds = Int(start.duration(to: .now) / .seconds(1))
    print(
      "images of seed \(what.seed): \(result.images), \(result.records) records received, "
        + "\(result.refused) refused, \(result.believed) believed, \(seconds) s")
    let fault = unsafe withUnsafeBytes(of: result.fault) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if failure != 0 { print("FAULT images: could not be tried: \(failure)") }
    if !fault.isEmpty {
      print("FAULT images: --seed \(what.seed) --image \(result.faulty): \(fault)")
    }
    return failure == 0 && fault.isEmpty ? 0 : 1
  }
}
