import Glibc

/// Users and groups by name and number, as the host knows them (`/etc/passwd`, `/etc/group`, or
/// what nsswitch.conf(5) names).
enum Accounts {
  /// The supplementary groups of this process.
  static var groupsOfProcess: [gid_t] {
    let count = getgroups(0, nil)
    guard count > 0 else { return [] }
    var groups = [gid_t](repeating: 0, count: Int(count))
    let filled = unsafe getgroups(count, &groups)
    return Array(groups.prefix(Int(max(0, filled))))
  }

  /// The number that is meant by a name or by the number itself; nil when there is no such user.
  static func user(_ text: String) -> uid_t? {
    unsafe number(text)
      ?? look { buffer, size in
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        let failure = unsafe getpwnam_r(text, &entry, buffer, size, &found)
        return unsafe (failure, found == nil ? nil : entry.pw_uid)
      }
  }

  /// The same of a group.
  static func group(_ text: String) -> gid_t? {
    unsafe number(text)
      ?? look { buffer, size in
        var entry = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        let failure = unsafe getgrnam_r(text, &entry, buffer, size, &found)
        return unsafe (failure, found == nil ? nil : entry.gr_gid)
      }
  }

  /// The name of a user; the number where there is none.
  static func name(ofUser user: uid_t) -> String {
    let name: String? = unsafe look { buffer, size in
      var entry = unsafe passwd()
      var found: UnsafeMutablePointer<passwd>?
      let failure = unsafe getpwuid_r(user, &entry, buffer, size, &found)
      return unsafe (failure, found == nil ? nil : String(cString: entry.pw_name))
    }
    return name ?? String(user)
  }

  /// Whether a user is in a group; nil for a user whom the host does not know.
  static func isMember(_ user: uid_t, of group: gid_t) -> Bool? {
    unsafe look { buffer, size in
      var entry = unsafe passwd()
      var found: UnsafeMutablePointer<passwd>?
      let failure = unsafe getpwuid_r(user, &entry, buffer, size, &found)
      guard unsafe found != nil else { return (failure, nil) }
      var groups = [gid_t](repeating: 0, count: 1 << 16)
      var count = Int32(groups.count)
      let isWhole = unsafe getgrouplist(entry.pw_name, entry.pw_gid, &groups, &count) >= 0
      return (failure, isWhole && groups.prefix(Int(count)).contains(group))
    }
  }

  /// All ones stands for nobody in system calls.
  private static func number(_ text: String) -> UInt32? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return UInt32(text).flatMap { $0 == .max ? nil : $0 }
  }

  /// Calls `body` with a larger buffer each time it says that it needs one.
  private static func look<Found>(
    _ body: (UnsafeMutablePointer<CChar>, Int) -> (failure: Int32, found: Found?)
  ) -> Found? {
    var size = 1024
    while size <= 1 << 20 {
      var buffer = [CChar](repeating: 0, count: size)
      let (failure, found) = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
        unsafe buffer.baseAddress.map { unsafe body($0, buffer.count) } ?? (EINVAL, nil)
      }
      if failure != ERANGE { return found }
      size *= 2
    }
    return nil
  }
}

extension BusAccess {
  /// The gid that is meant by a group's name, or by the number itself.
  ///
  /// - Throws: `invalidName`.
  public static func groupID(of text: String) throws(BusError) -> UInt32 {
    if let group = Accounts.group(text) { return group }
    throw BusError(
      .invalidName, "there is no group \(quotedForError(text))",
      hint: "name one of those that the command groups(1) prints")
  }
}
