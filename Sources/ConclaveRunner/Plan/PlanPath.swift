/// A path of a plan, as it is compared: without case, since a repository may be checked out where
/// case does not count; with `*`, `?`, `**` and `{...}` as patterns. Brackets are names: there are
/// more routes called `[id]` than sets of letters.
struct PlanPath: Hashable, Sendable {
  /// Without case; empty for the whole repository.
  let parts: [String]
  /// How many parts at the beginning are no patterns.
  let plainCount: Int
  /// Whether there may be files below it. Of a name with an ending one may doubt it.
  private let mayBeFolder: Bool
  /// Whether the last part is a name, and no pattern.
  private let endsPlainly: Bool

  /// - Parameter path: normalised, as in ``PlanFile/path``.
  init(_ path: String) {
    parts = path == "." ? [] : path.lowercased().split(separator: "/").map(String.init)
    plainCount = parts.firstIndex(where: PlanPath.isPattern) ?? parts.count
    mayBeFolder = !(parts.last?.dropFirst().contains(".") ?? false)
    endsPlainly = parts.last.map { !PlanPath.isPattern($0) } ?? false
  }

  var isPattern: Bool { plainCount < parts.count }

  /// Equal for equal paths.
  var key: String { parts.joined(separator: "/") }

  private static func isPattern(_ part: String) -> Bool {
    part.utf8.contains { [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "{")].contains($0) }
  }

  /// Whether there may be a file that is, or lies in, both.
  ///
  /// - Complexity: O(n · m) of the lengths.
  func mayOverlap(_ other: PlanPath) -> Bool {
    if !isPattern, !other.isPattern {
      return zip(parts, other.parts).allSatisfy { $0 == $1 }
    }
    // Most patterns end with a name, such as **/a.c, and can be told apart by it.
    if endsPlainly, other.endsPlainly, !mayBeFolder, !other.mayBeFolder,
      parts.last != other.parts.last
    {
      return false
    }
    // Which pairs of ends of parts can be reached by one and the same path.
    var reached = [Bool](repeating: false, count: other.parts.count + 1)
    reached[0] = true
    for row in 0...parts.count {
      var next = [Bool](repeating: false, count: reached.count)
      for column in reached.indices where reached[column] {
        guard row < parts.count else {
          if column == other.parts.count || mayBeFolder { return true }
          continue
        }
        guard column < other.parts.count else {
          if other.mayBeFolder { return true }
          if parts[row] == "**" { next[column] = true }
          continue
        }
        let (mine, theirs) = (parts[row], other.parts[column])
        if mine == "**" || theirs == "**" {
          reached[column + 1] = true
          next[column] = true
        }
        if PlanPattern.mayMatch(mine, theirs) { next[column + 1] = true }
      }
      reached = next
    }
    return false
  }
}

/// One part of a path with `*`, `?` and `{...}`.
enum PlanPattern {
  private enum Sign: Equatable {
    case one(Character)
    case anyOne
    case any
  }

  /// Whether one name can match both. O(n · m).
  static func mayMatch(_ left: String, _ right: String) -> Bool {
    if left == right { return true }
    let (left, right) = (signs(left), signs(right))
    var reached = [Bool](repeating: false, count: right.count + 1)
    reached[0] = true
    for row in 0...left.count {
      var next = [Bool](repeating: false, count: reached.count)
      for column in reached.indices where reached[column] {
        let mine = row < left.count ? left[row] : nil
        let theirs = column < right.count ? right[column] : nil
        if mine == nil, theirs == nil { return true }
        if mine == .any {
          next[column] = true
          if theirs != nil { reached[column + 1] = true }
        }
        if theirs == .any {
          reached[column + 1] = true
          if mine != nil { next[column] = true }
        }
        guard let mine, let theirs, mine != .any, theirs != .any else { continue }
        if mine == theirs || mine == .anyOne || theirs == .anyOne { next[column + 1] = true }
      }
      reached = next
    }
    return false
  }

  /// What stands in braces is taken for anything.
  private static func signs(_ part: String) -> [Sign] {
    var signs: [Sign] = []
    var rest = part[...]
    while let character = rest.popFirst() {
      switch character {
      case "*": signs.append(.any)
      case "?": signs.append(.anyOne)
      case "{":
        if let end = rest.firstIndex(of: "}") {
          rest = rest[rest.index(after: end)...]
          signs.append(.any)
        } else {
          signs.append(.one(character))
        }
      default: signs.append(.one(character))
      }
    }
    return signs
  }
}
