import Foundation
import Testing

extension Tool {
  /// A standing mirror, once it is one.
  static func mirror(_ options: [String] = [], in directory: URL) throws -> Tool {
    let mirror = try Tool(["bus", "mirror"] + options, in: directory)
    try eventually { try mirror.errors.contains("this process is the mirror of ") }
    return mirror
  }
}

/// Publishes on the topic `t`.
func publish(
  _ directory: URL, _ arguments: [String], environment: [String: String] = [:]
) throws -> Outcome {
  try Tool.run(
    ["bus", "publish", "t", "-s", "s", "-t", "x"] + arguments, in: directory,
    environment: environment)
}

/// What mirrors have written into a topic's file, in its order.
func mirrored(_ directory: URL, _ topic: String) throws -> [(sender: String, payload: String)] {
  let path = directory.appendingPathComponent(".conclave/bus/\(topic).jsonl").path
  guard FileManager.default.fileExists(atPath: path) else { return [] }
  return try String(contentsOfFile: path, encoding: .utf8)
    .matches(of: /"sender":"(.*?)".*?"payload":(.*?),"incarnation".*\n/)
    .map { (String($0.1), String($0.2)) }
}

/// Publishes on the topic `t` what does not fit into a lane.
func publishMoreThanThereIsRoom(_ directory: URL) throws {
  let payload = "[" + String(repeating: "1234567,", count: 5_000) + "2]\n"
  let outcome = try Tool.run(
    ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--transport", "shm"],
    in: directory, input: String(repeating: payload, count: 120))
  #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
}
