import CShim
import Glibc

/// The folder into which the bus directories of ended sessions are moved: `archive` beside `bus` in
/// `.conclave`, or for a bus directory elsewhere, its path with `.archive` behind it.
///
/// In it each session has a folder of its name, and in that each of its buses. They are bus
/// directories still: `conclave bus replay --bus-dir` reads them.
public struct SessionArchive: Hashable, Sendable {
  /// How many sessions are kept unless something else is said.
  public static let keptSessions = 5

  public let path: String

  /// - Parameter path: absolute. There need not be anything.
  public init(path: String) { self.path = path }

  /// The archive of the sessions of a bus directory, unless they were told of another.
  public init(of directory: String) {
    path = HiddenFolder.enclosing(directory).map { joined($0, "archive") } ?? "\(directory).archive"
  }

  /// The sessions that are there, the newest first: by when the last of their buses began. Makes
  /// nothing. Takes the time to look at every file.
  ///
  /// - Throws: `permissionDenied`, `exhausted`, `system`; an archive that is not there is empty.
  public func sessions() throws(BusError) -> [ArchivedSession] {
    guard let folder = try open() else { return [] }
    var found: [ArchivedSession] = []
    for name in try PrivateFolder.names(in: folder) where SessionName.isWellFormed(name) {
      guard let session = try? PrivateFolder.existing(name, in: folder) else { continue }
      let buses = try buses(of: name, in: session)
      if !buses.isEmpty {
        found.append(
          ArchivedSession(name: SessionName(checked: name), path: joined(path, name), buses: buses))
      }
    }
    return found.sorted { ($0.began, $0.name.text) > ($1.began, $1.name.text) }
  }

  private func open() throws(BusError) -> OwnedDescriptor? {
    let number = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if number >= 0 { return OwnedDescriptor(offStandard(number)) }
    let code = errno
    if code == ENOENT { return nil }
    throw .system("open", path, errno: code)
  }

  private func buses(
    of session: String, in folder: OwnedDescriptor
  ) throws(BusError) -> [ArchivedSession.Bus] {
    var found: [ArchivedSession.Bus] = []
    for name in try PrivateFolder.names(in: folder) where name != "." && name != ".." {
      // Without `.pid` it is nothing that a session has left.
      guard let bus = try? PrivateFolder.existing(name, in: folder),
        let status = (try? TopicFile.status(of: SessionLock.name, in: bus)) ?? nil
      else { continue }
      let record = (try? SessionLock.look(in: bus))?.0
      let owner: SessionOwner? = if case .owner(let owner) = record { owner } else { nil }
      let path = "\(path)/\(session)/\(name)"
      found.append(
        ArchivedSession.Bus(
          path: path, owner: owner, began: owner?.began ?? Timestamp(status.st_mtim),
          bytes: SessionArchive.bytes(in: bus)))
    }
    return found.sorted { ($0.began, $0.path) < ($1.began, $1.path) }
  }

  /// Of the files directly in a directory.
  private static func bytes(in folder: OwnedDescriptor) -> UInt64 {
    let names = (try? PrivateFolder.names(in: folder)) ?? []
    return names.reduce(0) { sum, name in
      let status = (try? TopicFile.status(of: name, in: folder)) ?? nil
      guard let status, status.st_mode & S_IFMT == S_IFREG else { return sum }
      return sum.addingSaturating(UInt64(max(0, status.st_size)))
    }
  }
}

/// A session whose bus directories were moved aside.
public struct ArchivedSession: Hashable, Sendable {
  public struct Bus: Hashable, Sendable {
    public var path: String
    /// Whose it was; nil when its owner was killed before it said so.
    public var owner: SessionOwner?
    public var began: Timestamp
    /// Of its files.
    public var bytes: UInt64
  }

  public var name: SessionName
  public var path: String
  /// At least one, in the order in which they began.
  public var buses: [Bus]

  /// When the last of its buses began.
  public var began: Timestamp {
    buses.map(\.began).max() ?? Timestamp(nanosecondsSinceEpoch: 0)
  }
}
