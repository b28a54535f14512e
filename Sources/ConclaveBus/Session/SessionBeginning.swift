import Glibc

/// How a session gets its directory.
struct SessionBeginning {
  private let path: String
  private let options: BusSessionOptions
  /// How often a directory that others move or replace meanwhile is tried again.
  private static let attempts = 100

  init(_ path: String, _ options: BusSessionOptions) {
    self.path = path
    self.options = options
  }

  func begin() throws(BusError) -> BusSession {
    HiddenFolder.make(above: path.hasPrefix("/") ? path : joined(try currentDirectory(), path))
    // Where it really is: behind a symbolic link, moving it must not leave the link dangling.
    let place = try BusDirectory(opening: path).path
    let archive = options.archive ?? SessionArchive(of: place)
    let gate = try SessionGate.enter(archive.path, patience: options.patience)
    defer { _ = gate.lock(LOCK_UN) }
    for _ in 0..<SessionBeginning.attempts {
      if let session = try attempt(at: place) { return session }
    }
    throw BusError(
      .busy, "the bus directory \(quotedForError(place)) is replaced again and again",
      hint: "end whatever moves or removes it")
  }

  /// Clears what a dead session has left, and makes nothing.
  ///
  /// - Returns: whether there was something.
  func clearOnly() throws(BusError) -> Bool {
    let directory = try BusDirectory(opening: path, create: false)
    let archive = options.archive ?? SessionArchive(of: directory.path)
    let gate = try SessionGate.enter(archive.path, patience: options.patience)
    defer { _ = gate.lock(LOCK_UN) }
    let descriptor = try directory.open()
    guard try TopicFile.status(of: SessionLock.name, in: descriptor) != nil else { return false }
    switch try SessionLock.take(in: descriptor) {
    case .held(let owner):
      _ = try meet(owner, directory)
      return false
    case .replaced: return false
    case .taken(let lock, let record):
      defer { lock.release() }
      try clear(directory, record)
      return true
    }
  }

  /// nil when it is to be tried again.
  private func attempt(at place: String) throws(BusError) -> BusSession? {
    let directory = try BusDirectory(opening: place)
    let descriptor = try directory.open()
    let contents = try SessionRemains.contents(descriptor)
    if !contents.isEmpty, try TopicFile.status(of: SessionLock.name, in: descriptor) == nil {
      throw notASessions(directory, contents)
    }
    switch try SessionLock.take(in: descriptor) {
    case .held(let owner): return try meet(owner, directory)
    case .replaced: return nil
    case .taken(let lock, let record):
      do throws(BusError) {
        guard SessionBeginning.isStanding(directory) else {
          lock.release()
          return nil
        }
        if record == .empty, contents.isEmpty { return try start(lock, directory) }
        try clear(directory, record)
        lock.release()
        return nil
      } catch {
        lock.release()
        throw error
      }
    }
  }

  private func start(_ lock: SessionLock, _ directory: BusDirectory) throws(BusError) -> BusSession
  {
    // Of a directory that somebody has removed by hand.
    _ = try SharedMemoryBus.clean(directory, in: options.segmentDirectory)
    let owner = SessionOwner.current(options.name ?? .new())
    try lock.announce(owner)
    return BusSession(directory, owner, lock, options)
  }

  private func meet(
    _ owner: SessionOwner?, _ directory: BusDirectory
  ) throws(BusError) -> BusSession {
    if options.joins, let owner { return BusSession(directory, owner, nil, options) }
    let who = owner?.description ?? "a process that does not say who it is"
    throw BusError(
      .busy, "the bus directory \(quotedForError(directory.path)) is taken by \(who)",
      hint: "wait for its end, end it, or use another directory")
  }

  private func clear(
    _ directory: BusDirectory, _ record: SessionLock.Record
  ) throws(BusError) {
    let name: SessionName =
      if case .owner(let owner) = record { owner.session } else { .unknown(.now()) }
    _ = try SessionEnding(directory, options).run(options.stale, of: name)
  }

  /// Whether it is still what bears the path.
  private static func isStanding(_ directory: BusDirectory) -> Bool {
    var status = stat()
    return unsafe lstat(directory.path, &status) == 0 && UInt64(status.st_ino) == directory.inode
      && UInt64(status.st_dev) == directory.device
  }

  private func notASessions(_ directory: BusDirectory, _ contents: [String]) -> BusError {
    let names = contents.prefix(3).map(quotedForError).joined(separator: ", ")
    let more = contents.count > 3 ? " and \(contents.count - 3) more" : ""
    return BusError(
      .incompatible,
      "\(quotedForError(directory.path)) holds what no session has left: \(names)\(more)",
      hint: "name an empty directory, or one that is not there")
  }
}

/// How a directory is moved aside or removed. Whoever runs it has the directory's lock and has
/// passed the gate.
struct SessionEnding {
  let archive: SessionArchive
  private let directory: BusDirectory
  private let options: BusSessionOptions

  init(_ directory: BusDirectory, _ options: BusSessionOptions) {
    self.directory = directory
    self.options = options
    archive = options.archive ?? SessionArchive(of: directory.path)
  }

  /// - Returns: where the directory is now; nil when it is gone.
  func run(_ fate: BusSession.Fate, of session: SessionName) throws(BusError) -> String? {
    let remains = SessionRemains(
      directory: directory, segmentDirectory: options.segmentDirectory)
    switch fate {
    case .archive:
      try archive.checkMovable(directory)
      try remains.settle(keeping: true)
      // Where nothing was said there is nothing to keep: others would have to make room for it.
      let contents = try SessionRemains.contents(directory.open())
      if contents.isEmpty { return try remove() }
      let presence = try FilePresence.exclude(
        from: try directory.open(), directory)
      defer { _ = presence.lock(LOCK_UN) }
      let place = try archive.take(directory, of: session)
      // That something old cannot be removed is no reason to fail what has been done.
      try? archive.prune(keeping: max(1, options.kept))
      return place
    case .purge:
      try remains.settle(keeping: false)
      return try remove()
    }
  }

  private func remove() throws(BusError) -> String? {
    if try SessionRemoval.remove(directory) { return nil }
    throw BusError(
      .incompatible,
      "\(quotedForError(directory.path)) holds what the session has not listed",
      hint: "move it away, then remove the directory")
  }
}
