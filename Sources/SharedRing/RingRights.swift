import CShim

/// Whose a segment is, and so who may take part: what the kernel checks when its file is opened.
public enum RingRights: Hashable, Sendable {
  /// The user of this process alone (mode 0600).
  case user
  /// The members of a group (its gid), one like the other (0660), whoever of them has made it.
  case group(UInt32)

  /// Nil for the shim's default.
  private var raw: conclave_rights? {
    let anybody = UInt32(CONCLAVE_ANYBODY)
    return switch self {
    case .user: nil
    case .group(let group): conclave_rights(mode: 0o660, owner: anybody, group: group)
    }
  }

  /// Calls `body` with the rights as the shim takes them.
  func withRaw<Result>(
    _ body: (UnsafePointer<conclave_rights>?) -> Result
  ) -> Result {
    guard let raw else { return body(nil) }
    return unsafe withUnsafePointer(to: raw) { unsafe body($0) }
  }
}
