import CShim
import Glibc

/// Whether a directory may be a bus, by whose it is and who may write in it.
extension BusDirectory {
  static func checkedStatus(_ path: String, _ access: BusAccess) throws(BusError) -> stat {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw .system("look at", path) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw BusError(
        .incompatible, "\(quotedForError(path)) is not a directory",
        hint: "name a directory for the bus")
    }
    if let group = access.group {
      try check(status, path, access, group)
    } else {
      try checkIsOwn(status, path)
    }
    return status
  }

  private static func checkIsOwn(_ status: stat, _ path: String) throws(BusError) {
    let name = quotedForError(path)
    guard status.st_uid == geteuid() else {
      throw BusError(
        .permissionDenied,
        "the bus directory \(name) belongs to uid \(status.st_uid), not to you (uid \(geteuid()))",
        hint: isOfAGroup(status)
          ? "it is open to the group \(status.st_gid): name it (--group) to take part with those "
            + "who are in it, or use a directory of your own"
          : "use a directory of your own, or run as its owner")
    }
    guard status.st_mode & 0o022 == 0 else {
      throw BusError(
        .permissionDenied, "others may write in the bus directory \(name)",
        hint: isOfAGroup(status)
          ? "name the group \(status.st_gid) (--group) if it is theirs, or else chmod go-w \(path)"
          : "chmod go-w \(path)")
    }
  }

  /// Whether it looks like the bus of a group.
  private static func isOfAGroup(_ status: stat) -> Bool {
    status.st_mode & 0o2070 == 0o2070 && status.st_mode & 0o002 == 0
  }

  private static func check(
    _ status: stat, _ path: String, _ access: BusAccess, _ group: UInt32
  ) throws(BusError) {
    let mode = access.folderMode
    func refuse(_ reason: String) -> BusError {
      BusError(
        .permissionDenied, "the bus directory \(quotedForError(path)) \(reason)",
        hint: "name a directory that is not there yet, and it is made for the group: a bus of one "
          + "user does not become a group's")
    }
    guard status.st_gid == group else {
      throw refuse("is of the group \(status.st_gid), not \(group)")
    }
    let found = status.st_mode & 0o7777
    // Others may look, as they may where the bus is one user's.
    guard found & ~0o005 == mode else {
      throw refuse(
        "has the mode \(String(found, radix: 8)), not \(String(mode, radix: 8))")
    }
    // In a directory that hands down its group whoever may write makes directories of that group.
    guard status.st_uid == 0 || Accounts.isMember(status.st_uid, of: group) != false else {
      throw refuse("belongs to uid \(status.st_uid), who is not in the group \(group)")
    }
    try checkHasNoLists(path, refuse)
  }

  /// A mode says nothing of who is named in an access control list.
  private static func checkHasNoLists(
    _ path: String, _ refuse: (String) -> BusError
  ) throws(BusError) {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let number = unsafe Glibc.open(path, flags)
    guard number >= 0 else { throw .system("open", path) }
    defer { close(number) }
    guard conclave_access_lists_exist(number) == 0 else {
      throw refuse("has an access control list, which may let in others (getfacl shows it)")
    }
  }

  static func notAMember(_ path: String, _ access: BusAccess) -> BusError {
    BusError(
      .permissionDenied,
      "the user of this process (uid \(geteuid())) is not in the group \(access.group ?? 0), with "
        + "which the bus directory \(quotedForError(path)) is to be shared",
      hint: "have the user added to the group, and log in again")
  }
}
