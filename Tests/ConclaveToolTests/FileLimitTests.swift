import BusTesting
import Foundation
import Testing

/// A file may not become larger than RLIMIT_FSIZE: the kernel sends SIGXFSZ, whose default is
/// death.
@Suite(.blocking) struct FileLimitTests {
  private let publish = #"conclave bus publish c -s x -t n --bus-dir b --text -p "$text""#

  private func run(_ line: String, in directory: URL) throws -> Outcome {
    let text = "text=$(head -c 2500 /dev/zero | tr '\\0' z)"
    return try Tool.shell("ulimit -f 8; \(text); \(line)", in: directory)
  }

  @Test func aFileBusSaysSoAndLeavesNoHalfLine() throws {
    try withDirectory { directory in
      var last = try run("\(publish) --transport file", in: directory)
      for _ in 0..<6 where last.exit == 0 {
        last = try run("\(publish) --transport file", in: directory)
      }
      #expect(last.exit == 8, "\(last.errors)")
      let file = directory.appendingPathComponent("b/c.jsonl")
      #expect(try Data(contentsOf: file).last == UInt8(ascii: "\n"))
      #expect(try Tool.shell("\(publish) --transport file", in: directory).exit == 0)
    }
  }

  @Test func aSegmentIsNotMade() throws {
    try withDirectory { directory in
      let outcome = try run(publish, in: directory)
      #expect(outcome.exit == 8, "\(outcome.errors)")
    }
  }
}
