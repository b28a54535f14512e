import CShim
import Glibc

/// The reference for appending: as many processes, lines as long, and nothing but the system calls.
enum BareAppend {
  static func perSecond(
    _ setting: Setting, publishers: Int, share: Int, batch: Int
  ) throws -> Double {
    try Scratch.with { scratch in
      let words = [BareAppendWorker.name, scratch.path("bare"), "\(share)", "\(batch)"]
      let all = Array(repeating: words, count: publishers)
      return try withChildren(all, setting.interruption) { children in
        let start = conclave_monotonic_ns()
        for child in children { try child.order() }
        let ends = try children.map { child in try child.result().first ?? 0 }
        let nanoseconds = Double((ends.max() ?? start) - start)
        return Double(share * publishers) / nanoseconds * 1e9
      }
    }
  }
}

enum BareAppendWorker: Worker {
  static let name = "bare-append"
  /// An envelope with a payload of 256 bytes.
  private static let lineBytes = 400

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let path = try words.text(0)
    let share = try words.number(1)
    let batch = try words.number(2)
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchmarkFailure("cannot open \(path): \(systemText())") }
    let lines = [UInt8](repeating: UInt8(ascii: "x"), count: lineBytes * batch)
    line.awaitStart()
    line.endWithParent()
    var rest = share
    while rest > 0 {
      let bytes = min(rest, batch) * lineBytes
      guard flock(descriptor, LOCK_EX) == 0, unsafe write(descriptor, lines, bytes) == bytes,
        flock(descriptor, LOCK_UN) == 0
      else { throw BenchmarkFailure("cannot append to \(path): \(systemText())") }
      rest -= min(rest, batch)
    }
    line.report(conclave_monotonic_ns())
  }
}
