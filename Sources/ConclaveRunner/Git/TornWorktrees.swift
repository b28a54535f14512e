import ConclaveBus
import Glibc

/// What git knows of worktrees of runs that it was killed over before it had written it down.
///
/// Git writes `locked`, `gitdir`, `HEAD` and `commondir` one after the other (`builtin/worktree.c`,
/// `add_worktree`). It never removes notes that are locked and do not say where the worktree is,
/// and while one has an empty `commondir`, it fails whatever is asked of worktrees or branches.
struct TornWorktrees {
  /// The directory of the notes on each.
  let folders: [String]

  init(_ git: GitCommand) throws(BusError) {
    let all = "\(try git.commonDirectory())/worktrees"
    folders = DurableFile.names(in: all).filter(Self.isOfRuns).map { "\(all)/\($0)" }
      .filter(Self.isTorn)
  }

  /// Those of other people's worktrees are theirs, and may be about to be written.
  private static func isOfRuns(_ name: String) -> Bool {
    let isTask = name.hasPrefix("task-") && name.dropFirst(5).first?.isNumber == true
    return isTask || name.hasPrefix("merged")
  }

  private static func isTorn(_ folder: String) -> Bool {
    guard let reason = text("\(folder)/locked"), ["", "initializing"].contains(reason) else {
      return false
    }
    return isUnplaced(folder) || text("\(folder)/commondir") == ""
  }

  /// Whether there is no word of where the worktree is, so that nothing is there yet either.
  private static func isUnplaced(_ folder: String) -> Bool {
    text("\(folder)/gitdir") ?? "" == ""
  }

  private static func text(_ path: String) -> Substring? {
    guard let bytes = try? DurableFile.read(path, limit: 10_000) else { return nil }
    return String(decoding: bytes, as: UTF8.self).trimmed
  }

  /// Makes worktrees of them that git can remove, or removes what is none yet. Call only when no
  /// git of a run is at work.
  func mend() throws(BusError) {
    for folder in folders {
      if Self.isUnplaced(folder) {
        _ = FolderRemoval.remove(folder)
      } else {
        try DurableFile.write(Array("../..\n".utf8), to: "\(folder)/commondir")
      }
    }
  }
}
