/// Where a ring's segment lies and whose it is.
public struct RingLocation: Hashable, Sendable {
  /// The directory of the segment's file: a tmpfs, `/dev/shm` for POSIX shared memory.
  public var directory: String
  /// The file's name.
  public var name: String
  /// What the ring belongs to, written into its header and compared on joining: at most 3,072
  /// bytes.
  public var owner: String
  /// What its file must be to be believed, and what it is made as.
  public var rights: RingRights

  public init(
    directory: String = "/dev/shm", name: String, owner: String, rights: RingRights = .user
  ) {
    self.directory = directory
    self.name = name
    self.owner = owner
    self.rights = rights
  }

  public var path: String { "\(directory)/\(name)" }
}
