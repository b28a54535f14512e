import BusTesting
import ConclaveBus
import Glibc

/// What can be seen of a ``FleetWorld`` at one moment.
struct FleetPicture {
  let tree: String
  let subjects: [String]
  let branches: [String]
  /// Linked ones.
  let worktrees: [String]
  /// What is not committed, and what is ignored, without what belongs to the runs.
  let status: [String]
  /// Of git, and files that were only half written; not the objects that git itself clears away in
  /// time.
  let locks: [String]
  /// Directories of a run that is not over.
  let folders: [String]
  /// Shared memory.
  let segments: [String]

  init(_ world: FleetWorld) throws {
    var parts: [Substring: [String]] = [:]
    var name: Substring = ""
    for line in try world.ask(FleetScript.picture).split(separator: "\n") {
      if line.hasPrefix("==") {
        name = line.dropFirst(2)
      } else {
        parts[name, default: []].append(String(line))
      }
    }
    tree = parts["tree"]?.first ?? ""
    subjects = parts["subjects"] ?? []
    branches = parts["branches"] ?? []
    worktrees = (parts["worktrees"] ?? []).map { String($0.dropFirst("worktree ".count)) }
    status = (parts["status"] ?? []).sorted()
    locks = parts["locks"] ?? []
    folders = parts["folders"] ?? []
    segments = try SharedMemoryBus.segments().compactMap { segment in
      segment.directory?.hasPrefix("\(world.home)/") == true ? segment.path : nil
    }
  }
}

/// A file of the user's: whoever writes it anew, even with the same bytes, has touched it.
struct UsersFile: Hashable {
  let path: String
  private let text: String
  private let mode: mode_t
  private let node: ino_t
  private let modified: [Int]

  /// nil when there is none.
  init?(_ path: String, in world: FleetWorld) {
    let full = "\(world.top)/\(path)"
    var information = stat()
    guard unsafe lstat(full, &information) == 0 else { return nil }
    self.path = path
    let isLink = information.st_mode & S_IFMT == S_IFLNK
    text = isLink ? TextFile.link(full) : TextFile.read(full)
    mode = information.st_mode
    node = information.st_ino
    modified = [information.st_mtim.tv_sec, information.st_mtim.tv_nsec]
  }

  static func all(_ paths: [String], in world: FleetWorld) -> Set<UsersFile> {
    Set(paths.compactMap { UsersFile($0, in: world) })
  }
}
