import Glibc

/// As much of git as it takes to find the place that all worktrees of a repository share, read from
/// its files: starting git would cost more than the whole rest of a short command.
struct GitRepository {
  /// The top of the worktree that was asked about: the directory that holds `.git`.
  let worktree: String
  /// The same for every worktree of the repository: the top of the main one, or for a bare
  /// repository the repository itself.
  let sharedDirectory: String

  /// The repository that `directory` lies in, or nil.
  static func containing(_ directory: String) -> GitRepository? {
    var candidate: String? = directory
    while let worktree = candidate {
      if let common = commonDirectory(ofWorktree: worktree) {
        return GitRepository(
          worktree: worktree, sharedDirectory: sharedDirectory(ofRepository: common))
      }
      candidate = parent(of: worktree)
    }
    return nil
  }

  /// What `git rev-parse --git-common-dir` prints, as an absolute path; nil when `worktree` is not
  /// the top of one.
  private static func commonDirectory(ofWorktree worktree: String) -> String? {
    let entry = joined(worktree, ".git")
    let repository: String
    if isDirectory(entry) {
      repository = entry
    } else {
      // A linked worktree or a submodule: a file that says where its repository is.
      guard let line = firstLine(ofFile: entry), line.hasPrefix("gitdir: ") else { return nil }
      repository = absolute(String(line.dropFirst("gitdir: ".count)), from: worktree)
    }
    // An empty directory of this name is not a repository; git looks at HEAD, too.
    guard firstLine(ofFile: joined(repository, "HEAD")) != nil else { return nil }
    guard let common = firstLine(ofFile: joined(repository, "commondir")) else {
      return repository
    }
    return canonical(absolute(common, from: repository))
  }

  /// A function of the common directory alone, so that all worktrees get the same answer.
  private static func sharedDirectory(ofRepository common: String) -> String {
    if common.hasSuffix("/.git"), let main = parent(of: common) { return main }
    // A submodule's repository names its worktree.
    if let worktree = coreWorktree(inConfiguration: joined(common, "config")) {
      return canonical(absolute(worktree, from: common))
    }
    return canonical(common)
  }

  /// The value of `core.worktree`, or nil.
  private static func coreWorktree(inConfiguration path: String) -> String? {
    guard let text = contents(ofFile: path) else { return nil }
    var inCore = false
    for line in text.split(whereSeparator: \.isNewline) {
      let line = trimmed(line)
      if line.hasPrefix("[") {
        inCore = line.lowercased() == "[core]"
      } else if inCore, let equals = line.firstIndex(of: "="),
        trimmed(line[..<equals]).lowercased() == "worktree"
      {
        let value = trimmed(line[line.index(after: equals)...])
        return value.hasPrefix("\"") ? String(value.dropFirst().prefix { $0 != "\"" }) : value
      }
    }
    return nil
  }

  private static func firstLine(ofFile path: String) -> String? {
    contents(ofFile: path)?.split(whereSeparator: \.isNewline).first.map { trimmed($0) }
  }
}

private func trimmed(_ text: Substring) -> String {
  let start = text.drop(while: \.isWhitespace)
  let end = start.lastIndex { !$0.isWhitespace }
  return end.map { String(start[...$0]) } ?? ""
}
