import ConclaveBus
import Glibc

extension GitCommand {
  /// Gives `path` what the worktree's index is now: nothing when there is none.
  ///
  /// Its time has to be the same: git takes files that are younger than their index for changed.
  func copyIndex(to path: String) throws(BusError) {
    let index = try must(["rev-parse", "--absolute-git-dir"]) + "/index"
    // Git writes an index anew and never changes one, so that a second name is as good as a copy.
    if unsafe link(index, path) == 0 || errno == ENOENT { return }
    var information = stat()
    guard unsafe stat(index, &information) == 0,
      let bytes = try DurableFile.read(index, limit: 1 << 32)
    else { return }
    try DurableFile.write(bytes, to: path)
    let times = [information.st_atim, information.st_mtim]
    guard unsafe utimensat(AT_FDCWD, path, times, 0) == 0 else {
      throw systemError("write \(shown(path))")
    }
  }
}
