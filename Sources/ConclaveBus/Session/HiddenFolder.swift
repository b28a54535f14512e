import Glibc

/// The folder `.conclave`, in which buses and archives lie.
enum HiddenFolder {
  static let name = ".conclave"

  /// The innermost folder of that name that `path` lies in; nil when it lies in none.
  static func enclosing(_ path: String) -> String? {
    var candidate = parent(of: path)
    while let folder = candidate {
      if folder.hasSuffix("/" + name) { return folder }
      candidate = parent(of: folder)
    }
    return nil
  }

  /// Makes the `.conclave` that `path` lies in, where its own parent is there, and keeps it out of
  /// git: where this makes a folder in a git worktree, be it `.conclave` itself or the one directly
  /// in it, it puts a `.gitignore` into it that ignores everything. One that is there is left
  /// alone. What fails here fails again when the directory is made, which says so.
  static func make(above path: String, _ access: BusAccess = .user) {
    guard path.hasPrefix("/"), let hidden = enclosing(path), let worktree = parent(of: hidden)
    else { return }
    let isMade = access.makeFolder(hidden) == 0
    if isMade {
      ignoreAll(in: hidden, worktree, access)
    } else if unsafe Glibc.access(joined(hidden, ".gitignore"), F_OK) != 0 {
      let rest = path.dropFirst(hidden.count).split(separator: "/")
      guard let first = rest.first else { return }
      let folder = joined(hidden, String(first))
      guard access.makeFolder(folder) == 0 else { return }
      ignoreAll(in: folder, worktree, access)
    }
  }

  private static func ignoreAll(
    in folder: String, _ worktree: String, _ access: BusAccess
  ) {
    guard GitRepository.containing(worktree) != nil else { return }
    let file = unsafe open(
      joined(folder, ".gitignore"), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    let ignore = OwnedDescriptor(offStandard(file))
    // git of the others reads it, too.
    _ = access.claim(ignore.number, mode: access.fileMode)
    _ = unsafe write(ignore.number, everything, everything.count)
  }

  /// What such a `.gitignore` holds.
  static let everything = Array("*\n".utf8)
}
