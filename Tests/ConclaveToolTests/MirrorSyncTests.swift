import BusTesting
import Foundation
import Testing

/// Who is told of a sync that fails: strace lets it fail, of one file.
@Suite(.blocking, .enabled("strace may trace here") { straceWorks() })
struct MirrorSyncTests {
  /// Publishes on a topic with the promise that it is on the disk; each sync of `t`'s file fails.
  private func publish(_ topic: String, _ directory: URL) throws -> Outcome {
    let file = directory.resolvingSymlinksInPath().path + "/.conclave/bus/t.jsonl"
    return try Tool.shell(
      "strace -f -qq -o /dev/null -P '\(file)' -e trace=fdatasync -e inject=fdatasync:error=EIO "
        + "'\(Tool.path)' bus publish \(topic) -s s -t x -p 2 --durability synced", in: directory)
  }

  /// What a killed mirror has left unsynced cannot be synced, which concerns nobody else.
  @Test func whatWasInheritedConcernsItsOwnFile() throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(in: directory)
      #expect(try ConclaveToolTests.publish(directory, ["-p", "1"]).exit == 0)
      try eventually { try mirrored(directory, "t").map(\.payload) == ["1"] }
      mirror.send(SIGKILL)
      _ = try mirror.finish()
      let outcome = try publish("u", directory)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("cannot force to the disk"), "\(outcome.errors)")
      #expect(try mirrored(directory, "u").map(\.payload) == ["2"])
      let status = try Tool.run(["bus", "status", "--json"], in: directory).output
      #expect(status.contains(#""unsynced":{"stretches":1,"from":0,"end":1}"#), "\(status)")
    }
  }

  @Test func whoseOwnFileFailsIsTold() throws {
    try withDirectory { directory in
      #expect(try ConclaveToolTests.publish(directory, ["-p", "1"]).exit == 0)
      let outcome = try publish("t", directory)
      #expect(outcome.exit == 6)
      #expect(outcome.errors.contains("the message could not be forced to the disk"))
    }
  }
}

private func straceWorks() -> Bool {
  let outcome = try? Tool.shell(
    "strace -f -o /dev/null true", in: FileManager.default.temporaryDirectory)
  return outcome?.exit == 0
}
