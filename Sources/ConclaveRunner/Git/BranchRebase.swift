import ConclaveBus
import Glibc

/// A rebase that is under way: the branch is not checked out then, and all the same the rebase is
/// to move it at its end, from where it was at its beginning.
enum BranchRebase {
  /// The worktree in which the branch is rebased, or nil.
  static func worktree(of branch: String, _ git: GitCommand) throws(BusError) -> String? {
    for entry in try GitWorktrees.list(git) where entry.branch == nil && isThere(entry.path) {
      let found = try git.elsewhere(entry.path).run(["rev-parse", "--absolute-git-dir"])
      guard found.succeeded else { continue }
      let folder = String(found.output.text.trimmed)
      // The last one is of `git rebase --update-refs`, which moves several.
      for name in ["rebase-merge/head-name", "rebase-apply/head-name", "rebase-merge/update-refs"] {
        let bytes = try DurableFile.read("\(folder)/\(name)") ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        if lines.contains("refs/heads/\(branch)") { return entry.path }
      }
    }
    return nil
  }
}
