import Glibc

/// Who takes part in a bus. The kernel enforces it, by the modes of the directory and of everything
/// in it and of the segment.
///
/// Members of a group trust each other as far as a user trusts all programs of their own: each can
/// publish as any sender, remove files, and damage the segment. What a ``BusPolicy`` says of topics
/// is on top of that, and is kept by participants that use this library.
public enum BusAccess: Hashable, Sendable {
  /// The user of this process alone: the directory is theirs, and nobody else can write in it. What
  /// is made has the modes 0700 and 0600.
  case user
  /// The members of a group (its gid): the directory is of that group with the mode 2770, whoever
  /// owns it. What is made has the modes 2770 and 0660.
  case group(UInt32)

  /// The gid; nil without one.
  public var group: UInt32? {
    switch self {
    case .user: nil
    case .group(let group): group
    }
  }

  var folderMode: mode_t {
    switch self {
    case .user: 0o700
    case .group: 0o2770
    }
  }

  var fileMode: mode_t {
    switch self {
    case .user: 0o600
    case .group: 0o660
    }
  }

  /// Why something in the bus directory is not to be believed, by whose it is; nil when it is.
  func stranger(_ status: stat) -> String? {
    if let group {
      return status.st_gid == group ? nil : "it belongs to another group (gid \(status.st_gid))"
    }
    return status.st_uid == geteuid()
      ? nil : "it belongs to another user (uid \(status.st_uid))"
  }

  /// Whether more people may use it than take part.
  func isOpenToOthers(_ status: stat) -> Bool {
    status.st_mode & 0o077 & ~(fileMode | folderMode) != 0
  }
}

extension BusAccess {
  /// Whether the user of this process is of the group, or is root, who may do all that its members
  /// may.
  var isMember: Bool {
    guard let group, geteuid() != 0, getegid() != group else { return true }
    return Accounts.groupsOfProcess.contains(group)
  }
}
