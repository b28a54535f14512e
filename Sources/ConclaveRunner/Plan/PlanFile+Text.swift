extension PlanFile {
  /// A path as a plan writes it, with or without lines: `./src/a.swift:10-20`.
  init(_ text: String, kind: Kind) throws(PlanMistake) {
    var path = text[...]
    var lines: ClosedRange<Int>?
    if let colon = path.lastIndex(of: ":") {
      let behind = path[path.index(after: colon)...]
      if behind.isEmpty {
        path = path[..<colon]
      } else if behind.allSatisfy({ $0.isASCII && $0.isNumber || ",-– ".contains($0) }) {
        lines = try PlanFile.lines(behind)
        path = path[..<colon]
      }
    }
    self.init(path: try PlanFile.normalised(path), kind: kind, lines: lines)
  }

  /// `10`, `10-20` or several of these, which become one range.
  private static func lines(_ text: Substring) throws(PlanMistake) -> ClosedRange<Int> {
    let wrong = PlanMistake(
      "\(shown(text)) names no lines", hint: "write for instance src/a.swift:10-20")
    var result: ClosedRange<Int>?
    for part in text.split(separator: ",") {
      let numbers = part.split(omittingEmptySubsequences: false) { "-–".contains($0) }
        .map { Int($0.trimmed) ?? 0 }
      guard let first = numbers.first, let last = numbers.last, numbers.count <= 2, first > 0,
        first <= last
      else { throw wrong }
      let known = result ?? first...last
      result = min(known.lowerBound, first)...max(known.upperBound, last)
    }
    guard let result else { throw wrong }
    return result
  }

  /// Without `.`, `..`, empty parts and a slash at the end.
  private static func normalised(_ path: Substring) throws(PlanMistake) -> String {
    let name = shown(path)
    guard !path.trimmed.isEmpty else {
      throw PlanMistake("there is no path here", hint: "write one, below the repository's top")
    }
    guard path.utf8.count <= 4096, !path.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
      throw PlanMistake("\(name) cannot be a path", hint: "correct it")
    }
    guard path.first != "/", path.first != "~" else {
      throw PlanMistake("\(name) is absolute", hint: "write it as seen from the repository's top")
    }
    guard !hasSlashInBraces(path) else {
      throw PlanMistake("\(name) has a slash in braces", hint: "write the paths one by one")
    }
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part != ".." {
        parts.append(part)
      } else if parts.popLast() == nil {
        throw PlanMistake("\(name) leads out of the repository", hint: "name a file inside")
      }
    }
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  private static func hasSlashInBraces(_ path: Substring) -> Bool {
    var isInside = false
    for character in path {
      if character == "{" { isInside = true }
      if character == "}" { isInside = false }
      if character == "/", isInside, path.contains("}") { return true }
    }
    return false
  }
}
