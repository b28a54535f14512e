import BusTesting
import Foundation
import Testing

/// The segment's file is cut off under those who use it, on whatever threads of theirs: they end
/// with an error, not with SIGBUS.
@Suite(.blocking) struct CutOffTests {
  private static let users = [
    ["mirror"], ["subscribe", "--transport", "mirror"], ["subscribe", "--transport", "shm"],
    ["subscribe", "--transport", "shm", "--policy", "back-pressure"],
    ["subscribe", "--transport", "shm", "--read-only"],
  ]

  @Test(arguments: users, [0, 4096, 8192])
  func nobodyDiesOfIt(_ arguments: [String], _ bytes: Int) throws {
    try withDirectory { directory in
      let publish = ["bus", "publish", "t", "-s", "s", "-t", "x", "-p", "1"]
      #expect(try Tool.run(publish, in: directory).exit == 0)
      let user = try Tool(["bus"] + arguments, in: directory)
      let files = directory.appendingPathComponent(".conclave/bus")
      try eventually {
        if arguments[0] == "mirror" {
          return FileManager.default.fileExists(atPath: files.path + "/t.jsonl")
        }
        _ = try Tool.run(publish, in: directory)
        return try user.output.contains("\n")
      }
      let dry = try Tool.run(["bus", "status", "--json", "--interval", "0"], in: directory)
      let segment = try #require(dry.output.firstMatch(of: /"path":"(\/dev\/shm\/[^"]*)"/)).1
      // What is left of it belongs to no bus that could be found.
      defer { unsafe unlink(String(segment)) }
      #expect(unsafe truncate(String(segment), bytes) == 0)
      let outcome = try user.finishWithoutClosingInput()
      // Of a segment that is too short to be one.
      let exit: Int32 = arguments[0] == "mirror" ? 5 : 6
      #expect(outcome.exit == exit, "\(outcome)")
      let reason = exit == 5 ? "'conclave bus clean' removes it" : "was cut off, or "
      #expect(outcome.errors.contains(reason), "\(outcome)")
    }
  }
}
