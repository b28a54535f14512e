import BusTesting
import Foundation
import Testing

/// Another user's bus: looked at by somebody without rights, and by root, who has all of them.
@Suite(.blocking, .enabled("needs root, to be two users") { TwoUsers.areThere })
struct ForeignBusTests {
  private static let commands = [
    "publish t -s s -t x -p 1 --transport shm", "publish t -s s -t x -p 1 --transport file",
    "publish t -s s -t x -p 1 --transport mirror", "subscribe t --count 1 --transport shm",
    "subscribe t --count 1 --read-only", "subscribe t --count 1 --transport file --from beginning",
    "subscribe t --durable d --count 1", "replay t", "status", "clean --yes", "compact",
    "mirror",
  ]

  /// Refused at once, with what to do about it; nothing is changed, made or waited for.
  @Test(arguments: ["root", "nobody"], commands)
  func isRefused(_ owner: String, _ command: String) throws {
    try withDirectory { directory in
      let (own, other) = owner == "root" ? ("", TwoUsers.asNobody) : (TwoUsers.asNobody, "")
      unsafe chmod(directory.path, 0o777)
      let made = try Tool.shell(
        "\(own) '\(Tool.path)' bus publish t -s s -t x -p 1 --transport mirror --bus-dir bus",
        in: directory)
      #expect(made.exit == 0, "\(made.errors)")
      let place = try Tool.shell(
        "\(own) '\(Tool.path)' bus status --bus-dir bus --json", in: directory)
      let segment = try #require(place.output.firstMatch(of: /\/dev\/shm\/[^"]+/)).0
      defer { _ = unsafe unlink(String(segment)) }
      let look = "find bus '\(segment)' -printf '%p %m %u %s %T@\\n' -type f -exec sha256sum {} +"
      let before = try Tool.shell(look, in: directory)
      #expect(before.exit == 0 && before.output.contains("t.jsonl"), "\(before.errors)")
      let outcome = try Tool.shell(
        "\(other) timeout 60 '\(Tool.path)' bus \(command) --bus-dir bus </dev/null", in: directory)
      #expect(outcome.exit == 7 && outcome.output.isEmpty, "\(outcome)")
      #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(try Tool.shell(look, in: directory) == before)
    }
  }
}
