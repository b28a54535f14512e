import BusTesting
import Foundation
import Testing

/// A bus directory that is moved away or removed while a process mirrors into it.
@Suite(.blocking) struct MirrorPlaceTests {
  private func payloads(_ directory: URL, _ bus: String) -> [String] {
    let path = directory.appendingPathComponent("\(bus)/t.jsonl").path
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.matches(of: /"payload":(.*?),"incarnation".*\n/).map { String($0.1) }
  }

  /// A mirror that has copied one message, and a publisher that waits for its next lines.
  private func begin(_ directory: URL) throws -> (mirror: Tool, writer: Tool) {
    let mirror = try Tool(["bus", "mirror"], in: directory)
    try eventually { try mirror.errors.contains("this process is the mirror of ") }
    let writer = try Tool(
      ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--transport", "shm"],
      in: directory)
    try writer.type("1\n")
    try eventually { payloads(directory, ".conclave/bus") == ["1"] }
    return (mirror, writer)
  }

  private func move(_ directory: URL, _ from: String, _ to: String) {
    let moved = unsafe rename("\(directory.path)/\(from)", "\(directory.path)/\(to)") == 0
    #expect(moved)
  }

  private func awaitComplaint(_ mirror: Tool) throws {
    try eventually { try mirror.errors.contains(" was moved or removed; nothing is mirrored ") }
  }

  /// Exactly one mirror of a segment: who comes to the path meanwhile is refused, and told why.
  @Test func anotherMirrorIsRefused() throws {
    try withDirectory { directory in
      let (mirror, writer) = try begin(directory)
      move(directory, ".conclave/bus", ".conclave/elsewhere")
      try awaitComplaint(mirror)
      for command in [["mirror"], ["subscribe", "--transport", "mirror", "--timeout", "1s"]] {
        let refused = try Tool.run(["bus"] + command, in: directory)
        #expect(refused.exit == 5)
        #expect(refused.errors.contains("process \(mirror.pid) mirrors the bus of "))
        #expect(refused.errors.contains("; end it, "))
      }
      let status = try Tool.run(["bus", "status", "--interval", "0"], in: directory).output
      #expect(status.contains("mirror       process \(mirror.pid), "))
      #expect(status.contains("cannot write (notFound)"))
      #expect(status.contains("its bus directory was moved or removed"))
      try writer.type("2\n3\n")
      #expect(try writer.finish().exit == 0)
      // What it has not written it leaves to the next one.
      mirror.send(SIGKILL)
      #expect(try mirror.finish().exit == -SIGKILL)
      let next = try Tool(["bus", "mirror"], in: directory)
      try eventually { payloads(directory, ".conclave/bus") == ["2", "3"] }
      #expect(payloads(directory, ".conclave/elsewhere") == ["1"])
      next.send(SIGTERM)
      #expect(try next.finish().exit == 143)
    }
  }

  @Test func goesOnWhenItIsBack() throws {
    try withDirectory { directory in
      let (mirror, writer) = try begin(directory)
      move(directory, ".conclave/bus", ".conclave/elsewhere")
      try awaitComplaint(mirror)
      try writer.type("2\n")
      try eventually {
        try !Tool.run(
          ["bus", "status", "--interval", "0", "--bus-dir", ".conclave/elsewhere"], in: directory
        )
        .output.isEmpty
      }
      #expect(payloads(directory, ".conclave/elsewhere") == ["1"])
      move(directory, ".conclave/elsewhere", ".conclave/bus")
      try eventually { try mirror.errors.contains("the mirror can write again") }
      try eventually { payloads(directory, ".conclave/bus") == ["1", "2"] }
      #expect(try writer.finish().exit == 0)
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
    }
  }

  /// The messages that were there are gone with it; those that come are not.
  @Test func theDirectoryIsRemoved() throws {
    try withDirectory { directory in
      let (mirror, writer) = try begin(directory)
      try FileManager.default.removeItem(atPath: "\(directory.path)/.conclave/bus")
      try awaitComplaint(mirror)
      try writer.type("2\n")
      #expect(try writer.finish().exit == 0)
      // One that asks for more than the ring is told that it does not get it.
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
      let next = try Tool(["bus", "mirror"], in: directory)
      try eventually { payloads(directory, ".conclave/bus") == ["2"] }
      next.send(SIGTERM)
      #expect(try next.finish().exit == 143)
    }
  }
}
