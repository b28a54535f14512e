import ConclaveBus
import Glibc

/// Where the radar writes what git needs to try merges: indexes, and objects that the repository
/// never gets. In the repository's git directory, which every file system that holds one can write.
struct RadarFolder: Sendable {
  let path: String
  /// Makes git read the repository's objects and write its own here, as nobody in particular.
  let environment: [String: String]

  /// Makes it anew, empty.
  ///
  /// - Parameter git: in any worktree of the repository.
  init(_ git: GitCommand) throws(BusError) {
    let common = try git.commonDirectory()
    path = "\(common)/conclave-radar"
    RadarFolder.removeTree(path)
    try DurableFile.makeFolder("\(path)/objects")
    environment = [
      "GIT_OBJECT_DIRECTORY": "\(path)/objects",
      "GIT_ALTERNATE_OBJECT_DIRECTORIES": RadarFolder.quoted("\(common)/objects"),
      "GIT_AUTHOR_NAME": "radar", "GIT_AUTHOR_EMAIL": "radar@localhost",
      "GIT_COMMITTER_NAME": "radar", "GIT_COMMITTER_EMAIL": "radar@localhost",
    ]
  }

  /// Where the index of a task's snapshots is.
  func index(of task: String) throws(BusError) -> String {
    let folder = "\(path)/index-\(FailedWork.slug(task))"
    try DurableFile.makeFolder(folder)
    return folder
  }

  func remove() { RadarFolder.removeTree(path) }

  /// As an entry of a list that colons divide.
  private static func quoted(_ path: String) -> String {
    let escaped = path.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    return "\"\(escaped)\""
  }

  /// Removes files and folders, and symbolic links themselves.
  private static func removeTree(_ path: String) {
    guard unsafe unlink(path) != 0, errno == EISDIR || errno == EPERM,
      let folder = unsafe opendir(path)
    else { return }
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { removeTree("\(path)/\(name)") }
    }
    unsafe closedir(folder)
    unsafe rmdir(path)
  }
}
