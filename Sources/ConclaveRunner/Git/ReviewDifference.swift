import ConclaveBus

/// What reviewers are shown of a change: whole files as far as there is room, and of the others the
/// names, so that nobody takes a part for the whole.
///
/// What nobody reads is left out: what is binary, generated, or written by a package manager. What
/// is in a folder of other people's code comes last. Nothing that a repository says of itself, as
/// in `.gitattributes`, hides a file.
public struct ReviewDifference: Hashable, Sendable {
  public struct Omission: Hashable, Sendable {
    public var path: String
    public var reason: String

    /// One line, in which the path is quoted and escaped.
    public var line: String { "\(shown(path)): \(reason)" }
  }

  /// Patches: first those of the repository's own files, in the order of their paths.
  public private(set) var text = ""
  /// How many files ``text`` shows.
  public private(set) var files = 0
  public private(set) var omissions: [Omission] = []
  /// Whether it was stopped before it had come to the end.
  public private(set) var isCutOff = false

  private let limit: Int
  private var calls = 0

  /// So many files are asked for at most.
  private static let callLimit = 2000
  /// Less room than that is none.
  private static let leastRoom = 256

  /// - Parameters:
  ///   - limit: the most that ``text`` may have, in bytes.
  ///   - stop: ends it early.
  /// - Complexity: one call of git for each file that is shown, and for some of those that are not.
  /// - Throws: `messageTooLarge` when not even the names can be read; whatever git said.
  init(
    _ git: GitCommand, from old: String, to new: String, limit: Int, stop: StopSignal? = nil
  ) throws(BusError) {
    self.limit = limit
    let entries = try ReviewDifference.entries(git, old, new)
    for isForeign in [false, true] {
      for entry in entries where ReviewDifference.isForeign(entry.path) == isForeign {
        isCutOff = stop?.reason != nil
        if isCutOff { return }
        try add(entry, git, old, new)
      }
    }
  }

  // MARK: Files

  private struct Entry {
    var path: String
    /// Added and removed.
    var lines: Int
  }

  private static func entries(
    _ git: GitCommand, _ old: String, _ new: String
  ) throws(BusError) -> [Entry] {
    let arguments = ["diff-tree", "-r", "-z", "--numstat", "--text", "--no-renames", old, new]
    let result = try git.run(arguments, bytes: [], limit: 1 << 26)
    guard result.succeeded else { throw git.failure(arguments, result) }
    guard let bytes = result.output.bytes else {
      throw BusError(
        .messageTooLarge, "the difference has so many files that not even their names can be read",
        hint: "look at it by hand: git diff")
    }
    return bytes.split(separator: 0).compactMap { bytes in
      let fields = String(decoding: bytes, as: UTF8.self).split(
        separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return Entry(path: String(fields[2]), lines: (Int(fields[0]) ?? 0) + (Int(fields[1]) ?? 0))
    }
  }

  private mutating func add(
    _ entry: Entry, _ git: GitCommand, _ old: String, _ new: String
  ) throws(BusError) {
    if let reason = ReviewDifference.dispensable(entry.path) { return omit(entry, reason) }
    let room = limit - text.utf8.count
    // A line has two bytes at least.
    guard room > ReviewDifference.leastRoom, entry.lines * 2 < room else {
      return omit(entry, "no room for its \(counted(entry.lines, "line"))")
    }
    guard calls < ReviewDifference.callLimit else { return omit(entry, "too many files") }
    calls += 1
    let patch = try git.must([
      "diff-tree", "-p", "--text", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
      old, new, "--", ":(top,literal)\(entry.path)",
    ])
    if patch.isEmpty {
      omit(entry, "git does not know it by that name")
    } else if patch.utf8.contains(0) {
      omit(entry, "binary")
    } else if patch.utf8.count >= room {
      omit(entry, "no room for its \(patch.utf8.count) bytes")
    } else {
      text += patch + "\n"
      files += 1
    }
  }

  private mutating func omit(_ entry: Entry, _ reason: String) {
    omissions.append(Omission(path: entry.path, reason: reason))
  }

  // MARK: What nobody reads

  private static func dispensable(_ path: String) -> String? {
    let name = String(path.split(separator: "/").last ?? "")
    if lockFiles.contains(name) { return "written by a package manager" }
    return generatedEndings.contains(where: name.hasSuffix) ? "generated" : nil
  }

  private static func isForeign(_ path: String) -> Bool {
    path.split(separator: "/").dropLast().contains { foreignFolders.contains(String($0)) }
  }

  private static let lockFiles: Set<String> = [
    "Cargo.lock", "Gemfile.lock", "Package.resolved", "Pipfile.lock", "bun.lock", "composer.lock",
    "flake.lock", "go.sum", "npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml",
    "poetry.lock", "uv.lock", "yarn.lock",
  ]

  private static let foreignFolders: Set<String> = [
    "Pods", "node_modules", "third_party", "vendor",
  ]

  private static let generatedEndings = [".map", ".min.css", ".min.js", ".pb.go", "_pb2.py"]
}
