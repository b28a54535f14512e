/// Two tasks, in the order of their names.
public struct RadarPair: Hashable, Sendable, Comparable {
  public let first: String
  public let second: String

  public init(_ one: String, _ other: String) {
    (first, second) = one < other ? (one, other) : (other, one)
  }

  public static func < (one: RadarPair, other: RadarPair) -> Bool {
    (one.first, one.second) < (other.first, other.second)
  }
}

/// What became of the trial to merge two tasks as they are.
public enum RadarVerdict: Hashable, Sendable {
  /// Git can put them together.
  case merges
  /// It cannot, because of these files.
  case conflicts([String])
}

/// What is seen of all tasks at one moment: a value.
public struct RadarPicture: Hashable, Sendable {
  /// Of each task the paths that differ from where it began, relative to the worktree's top.
  public var touched: [String: Set<String>]
  /// Of pairs that touch the same, as far as it is known.
  public var verdicts: [RadarPair: RadarVerdict]
  /// Of each task the others that were merged while it was at work, and are not looked at any more.
  public var merged: [String: Set<String>]

  public init(
    touched: [String: Set<String>] = [:], verdicts: [RadarPair: RadarVerdict] = [:],
    merged: [String: Set<String>] = [:]
  ) {
    self.touched = touched
    self.verdicts = verdicts
    self.merged = merged
  }

  /// The pairs of tasks that touch the same, and what that is.
  ///
  /// A file that one has, in the place of a directory of the other, counts as well. O(pairs x
  /// paths).
  public var overlaps: [RadarPair: Set<String>] {
    let tasks = touched.keys.sorted()
    var result: [RadarPair: Set<String>] = [:]
    for (index, first) in tasks.enumerated() {
      for second in tasks[(index + 1)...] {
        guard let one = touched[first], let other = touched[second] else { continue }
        let common = RadarPicture.common(one, other)
        if !common.isEmpty { result[RadarPair(first, second)] = common }
      }
    }
    return result
  }

  static func common(_ one: Set<String>, _ other: Set<String>) -> Set<String> {
    one.intersection(other).union(folders(of: one, in: other)).union(folders(of: other, in: one))
  }

  /// The paths among `files` that lead to one of `paths`.
  private static func folders(of paths: Set<String>, in files: Set<String>) -> Set<String> {
    var found: Set<String> = []
    for path in paths {
      for slash in path.indices where path[slash] == "/" {
        let folder = String(path[..<slash])
        if files.contains(folder) { found.insert(folder) }
      }
    }
    return found
  }
}
