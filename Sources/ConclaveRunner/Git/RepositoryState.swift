import ConclaveBus
import Glibc

/// What a loop must know of the repository that it works in.
struct RepositoryState: Sendable {
  /// The top of the worktree, without symbolic links.
  let top: String
  /// This worktree's own git directory, absolute.
  let gitDirectory: String
  /// nil when HEAD is detached.
  let branch: String?
  /// nil when there are no commits.
  let head: String?
  /// What is under way, for instance `a merge`, or nil.
  let operation: String?
  /// Paths with changes that are not committed, without the loop's own.
  let changes: [String]

  /// - Parameter newFiles: whether files that git does not know are changes.
  /// - Throws: `notFound` outside of a repository, or in a bare one.
  static func of(
    _ directory: String, environment: [String: String], newFiles: Bool = true
  ) throws(BusError) -> RepositoryState {
    let here = try GitCommand(in: directory, environment: environment)
    let found = try here.run(["rev-parse", "--show-toplevel"])
    guard found.succeeded, case let top = found.output.text.dropLast(), !top.isEmpty else {
      throw notAWorktree(directory, found.errors.text)
    }
    let git = try GitCommand(in: String(top), environment: environment)
    let gitDirectory = try git.must(["rev-parse", "--absolute-git-dir"])
    return RepositoryState(
      top: String(top), gitDirectory: gitDirectory,
      branch: try git.branch(),
      head: try git.ask(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]),
      operation: operation(in: gitDirectory), changes: try changes(git, newFiles: newFiles))
  }

  private static func notAWorktree(_ directory: String, _ errors: String) -> BusError {
    if errors.contains("dubious ownership") {
      return BusError(
        .permissionDenied, "the git repository at \(shown(directory)) belongs to somebody else",
        hint: "git config --global --add safe.directory its path, if you trust it")
    }
    return BusError(
      .notFound, "\(shown(directory)) is not in the worktree of a git repository",
      hint: "run it in a repository, or git init and commit something")
  }

  static func operation(in gitDirectory: String) -> String? {
    let signs = [
      ("MERGE_HEAD", "a merge"), ("rebase-merge", "a rebase"), ("rebase-apply", "a rebase"),
      ("CHERRY_PICK_HEAD", "a cherry-pick"), ("REVERT_HEAD", "a revert"),
      ("BISECT_LOG", "a bisection"),
    ]
    return signs.first { unsafe access("\(gitDirectory)/\($0.0)", F_OK) == 0 }?.1
  }

  static func changes(_ git: GitCommand, newFiles: Bool = true) throws(BusError) -> [String] {
    let untracked = "--untracked-files=\(newFiles ? "normal" : "no")"
    let text = try git.must(
      ["status", "--porcelain=v1", "-z", "--no-renames", untracked, "--", "."]
        + WorkSnapshot.exclusions)
    return text.split(separator: "\0").compactMap { entry in
      entry.count > 3 ? String(entry.dropFirst(3)) : nil
    }
  }
}
