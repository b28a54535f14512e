import Glibc

extension BusSession {
  /// Who has begun the session of a bus directory, and whether that process lives. nil where there
  /// is no session; `owner` is nil when it was killed before it said who it was.
  ///
  /// - Throws: `permissionDenied`, `incompatible`, `system`.
  public static func owner(
    of directory: BusDirectory
  ) throws(BusError) -> (owner: SessionOwner?, isLive: Bool)? {
    let descriptor = try directory.open()
    guard let (record, isHeld) = try SessionLock.look(in: descriptor) else { return nil }
    if case .owner(let owner) = record { return (owner, isHeld) }
    return (nil, isHeld)
  }

  /// The bus directories of dead sessions: `directory` itself and those directly in it. Sorted.
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`.
  public static func staleDirectories(in directory: BusDirectory) throws(BusError) -> [BusDirectory]
  {
    let descriptor = try directory.open()
    var found: [BusDirectory] = []
    // The inner ones first: the outer one cannot be removed before them.
    for name in try PrivateFolder.names(in: descriptor).sorted() where !name.hasPrefix(".") {
      // No link, whoever's it is.
      guard (try? PrivateFolder.existing(name, in: descriptor)) != nil,
        let inner = try? BusDirectory(opening: joined(directory.path, name), create: false)
      else { continue }
      if try isStale(inner) { found.append(inner) }
    }
    if try isStale(directory) { found.append(directory) }
    return found
  }

  private static func isStale(_ directory: BusDirectory) throws(BusError) -> Bool {
    try owner(of: directory).map { !$0.isLive } ?? false
  }

  /// Moves aside or removes what a dead session has left, without beginning another.
  ///
  /// - Returns: whether there was something.
  /// - Throws: as ``begin(at:options:)``.
  @discardableResult
  public static func clear(
    _ directory: BusDirectory, _ fate: Fate, options: BusSessionOptions = BusSessionOptions()
  ) throws(BusError) -> Bool {
    var options = options
    options.stale = fate
    options.joins = false
    return try SessionBeginning(directory.path, options).clearOnly()
  }
}
