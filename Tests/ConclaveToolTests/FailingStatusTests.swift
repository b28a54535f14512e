import BusTesting
import Foundation
import Testing

/// What `bus status` says of a mirror that cannot write must fit together.
@Suite(.blocking) struct FailingStatusTests {
  /// Numbers 1 to 5 are published while something else stands where their topic's file would.
  private func fail(_ directory: URL, _ policy: String) throws -> Tool {
    let mirror = try Tool(["bus", "mirror", "--when-failing", policy], in: directory)
    try eventually { try !mirror.errors.isEmpty }
    let obstacle = directory.appendingPathComponent(".conclave/bus/t.jsonl")
    try FileManager.default.createDirectory(at: obstacle, withIntermediateDirectories: false)
    let say = ["bus", "publish", "t", "-s", "s", "-t", "x", "--transport", "shm", "-p"]
    #expect(try Tool.run(say + ["1"], in: directory).exit == 0)
    try eventually { try mirror.errors.contains("cannot write") }
    for number in 2...5 {
      #expect(try Tool.run(say + ["\(number)"], in: directory).exit == 0)
    }
    return mirror
  }

  private func status(_ directory: URL, _ arguments: [String] = []) throws -> String {
    try Tool.run(["bus", "status", "--interval", "0"] + arguments, in: directory).output
  }

  /// What the mirror has read and cannot write it has not copied.
  @Test func theRowIsBehindAsTheMirrorIs() throws {
    try withDirectory { directory in
      let mirror = try fail(directory, "block")
      let json = try JSONSerialization.jsonObject(with: Data(status(directory, ["--json"]).utf8))
      let segment = try #require((json as? [String: Any])?["sharedMemory"] as? [String: Any])
      let row = try #require((segment["subscribers"] as? [[String: Any]])?.first)
      let lag = (segment["mirror"] as? [String: Any])?["lag"] as? Int
      #expect(lag == 5 && row["lag"] as? Int == 5 && row["position"] as? Int == 0)
      mirror.send(SIGKILL)
      #expect(try mirror.finish().exit == -SIGKILL)
    }
  }

  /// What there is no room for is given up; what there is room for is held, and so it is behind.
  @Test func whatIsGivenUpAndWhatIsHeldIsSaid() throws {
    try withDirectory { directory in
      let mirror = try fail(directory, "continue")
      #expect(try status(directory).contains("process \(mirror.pid), 5 records behind\n"))
      try publishMoreThanThereIsRoom(directory)
      try eventually { try status(directory).contains(" of records not in the files, the last ") }
      #expect(try status(directory).contains("cannot write ("))
      mirror.send(SIGKILL)
      #expect(try mirror.finish().exit == -SIGKILL)
    }
  }
}
