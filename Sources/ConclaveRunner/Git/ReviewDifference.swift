import ConclaveBus

/// What reviewers are shown of a change: whole files as far as there is room, and of the others the
/// names, so that nobody takes a part for the whole.
public struct ReviewDifference: Hashable, Sendable {
  public struct Omission: Hashable, Sendable {
    public var path: String
    public var reason: String
  }

  /// Patches, in the order of their paths.
  public private(set) var text = ""
  /// How many files ``text`` shows.
  public private(set) var files = 0
  public private(set) var omissions: [Omission] = []

  /// Lines beyond which the patch of one file is not even asked for.
  private static let lineLimit = 20_000

  /// - Parameter limit: the most that ``text`` may have, in bytes.
  /// - Complexity: one call of git for each file.
  init(
    _ git: GitCommand, from old: String, to new: String, limit: Int
  ) throws(BusError) {
    let counts = ["diff-tree", "-r", "-z", "--numstat", "--no-renames", old, new]
    for entry in try git.must(counts).split(separator: "\0") {
      let fields = entry.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let path = String(fields[2])
      if let reason = ReviewDifference.dispensable(path, fields) {
        omissions.append(Omission(path: path, reason: reason))
        continue
      }
      let patch = try git.must([
        "diff-tree", "-p", "--no-renames", "--no-color", "--no-ext-diff", old, new, "--",
        ":(top,literal)\(path)",
      ])
      add(path, patch, limit)
    }
  }

  private mutating func add(_ path: String, _ patch: String, _ limit: Int) {
    if patch.isEmpty {
      omissions.append(Omission(path: path, reason: "git shows nothing of it"))
    } else if text.utf8.count + patch.utf8.count + 1 > limit {
      omissions.append(Omission(path: path, reason: "no room for its \(patch.utf8.count) bytes"))
    } else {
      text += patch + "\n"
      files += 1
    }
  }

  // MARK: What nobody reads

  /// - Parameter fields: lines added and removed, `-` for a binary file, and the path.
  private static func dispensable(_ path: String, _ fields: [Substring]) -> String? {
    let parts = path.split(separator: "/")
    let name = String(parts.last ?? "")
    if fields[0] == "-" { return "binary" }
    if lockFiles.contains(name) { return "written by a package manager" }
    if parts.dropLast().contains(where: { foreignFolders.contains(String($0)) }) {
      return "somebody else's code"
    }
    if generatedEndings.contains(where: name.hasSuffix) { return "generated" }
    let lines = (Int(fields[0]) ?? 0) + (Int(fields[1]) ?? 0)
    return lines > lineLimit ? "\(lines) lines" : nil
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
