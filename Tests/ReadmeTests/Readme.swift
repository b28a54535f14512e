import Foundation

/// The README, and the snippets that it must be made of.
enum Readme {
  /// Three levels above this file.
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text() throws -> String {
    try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
  }

  /// The contents of each fenced block of a language, in order.
  static func blocks(of language: String) throws -> [String] {
    var blocks: [String] = []
    var open: (isWanted: Bool, lines: [Substring])?
    for line in try text().split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let block = open {
          if block.isWanted { blocks.append(block.lines.joined(separator: "\n")) }
          open = nil
        } else {
          open = (line == "```\(language)", [])
        }
      } else {
        open?.lines.append(line)
      }
    }
    return blocks
  }

  /// What stands between the marks of each snippet file, without the indentation of its function.
  static func snippets() throws -> [String: String] {
    let directory = root.appendingPathComponent("Tests/ReadmeTests/Snippets")
    var snippets: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
      let file = directory.appendingPathComponent(name)
      let lines = try String(contentsOf: file, encoding: .utf8)
        .split(separator: "\n", omittingEmptySubsequences: false)
      guard let begin = lines.firstIndex(of: "  // README: begin"),
        let end = lines.firstIndex(of: "  // README: end")
      else { continue }
      snippets[name] = lines[(begin + 1)..<end].map { $0.dropFirst(2) }.joined(separator: "\n")
    }
    return snippets
  }

  /// Every command line of the console blocks: what stands behind `$`, continued lines joined.
  static func commandLines() throws -> [String] {
    try blocks(of: "console").flatMap { block in
      block.replacing("\\\n", with: "").split(separator: "\n")
        .filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) }
    }
  }
}
