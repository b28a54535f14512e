import Glibc

/// The file in which a group's members write what they do: the group's state is what its lines make
/// of it, in order.
///
///     2f0c6e1b9a7d4453 conclave-durable 1 orders shop
///     91d3... log 0f3a... 0
///     77ab... join 0 4711
///     c01f... take 64 0 1 81273918273 0-63
///     5e2d... done 0-62
///
/// Each line begins with a checksum of itself and of all before it, so that none can be missing,
/// come twice, or be changed without being noticed. Text, so that people can read it.
///
/// Whoever is killed while it writes a line leaves the file without a line feed at its end: the
/// next one cuts that off, and the state is the old one. More than that is never cut off: what the
/// ``DurableWitness`` says that there was must be there. When the file has become long, a new one
/// with the state as it is takes its place by `rename`: so at any moment there is the old or the
/// new state.
///
/// One user at a time, who holds the group's lock to call any of its methods.
final class DurableJournal {
  private let folder: OwnedDescriptor
  private let name: DurableName
  private let fileName: String
  private let witness: DurableWitness?
  private var file: OwnedDescriptor?
  private var identity: TopicFile.Identity?
  private var replay = DurableReplay()

  /// Files are made anew when they are longer than this, and than eight times what that takes.
  private static let longest: UInt64 = 1 << 20

  /// - Parameter witness: nil: what is there is believed.
  init(_ name: DurableName, in folder: OwnedDescriptor, witness: DurableWitness? = nil) {
    self.witness = witness
    self.folder = folder
    self.name = name
    fileName = DurableFolder.journal(of: name)
  }

  var state: DurableState { replay.state }
  private var path: String { DurableFolder.path(of: fileName) }

  /// Reads what others have written.
  ///
  /// - Returns: false when there is no journal.
  /// - Throws: `corrupt`; `incompatible`; `notFound` when it was removed while this member had it;
  ///   `permissionDenied`, `system`.
  func refresh() throws(BusError) -> Bool {
    guard let look = try TopicFile.look(at: fileName, in: folder) else {
      if file == nil { return false }
      throw BusError(
        .notFound, "the journal of the durable subscription \(name) was removed",
        hint: "end all its members, then begin it anew")
    }
    if look.identity != identity { try reopen() }
    guard let file else { return false }
    if look.identity == identity, look.size == replay.taken, !replay.isEmpty { return true }
    guard look.size >= replay.taken else {
      forget()
      throw DurableFlaw(line: 1, reason: "the file became shorter").asError(name)
    }
    let bytes = try DurableJournal.read(file, from: replay.taken, fileName)
    do throws(DurableFlaw) {
      try replay.take(bytes)
      try replay.check(name, length: witness?.length ?? 0)
    } catch {
      forget()
      throw error.asError(name)
    }
    if replay.taken < look.size, ftruncate(file.number, off_t(replay.taken)) != 0 {
      throw .system("cut the unfinished end of", path)
    }
    return true
  }

  /// - Throws: `incompatible` when the name stands for another prefix.
  func check(_ prefix: TopicPrefix) throws(BusError) {
    guard replay.prefix != prefix.name else { return }
    throw BusError(
      .incompatible,
      "the durable subscription \(name) is to the prefix \"\(replay.prefix)\", not \"\(prefix)\"",
      hint: "use another name, or end its members and remove "
        + "\(path) to begin it anew")
  }

  /// Appends, and changes the state, all or nothing.
  ///
  /// - Throws: `noSpace`, `system`; `corrupt` when the file became shorter meanwhile.
  func append(_ entries: [DurableEntry]) throws(BusError) {
    guard !entries.isEmpty, let file else { return }
    var next = replay.chain
    var bytes: [UInt8] = []
    for entry in entries { next.append(to: &bytes) { entry.write(to: &$0) } }
    let written = unsafe bytes.withUnsafeBytes { bytes in
      unsafe pwrite(file.number, bytes.baseAddress, bytes.count, off_t(replay.taken))
    }
    guard written == bytes.count else {
      let code = written < 0 ? errno : ENOSPC
      _ = ftruncate(file.number, off_t(replay.taken))
      throw .system("write to", path, errno: code)
    }
    replay.note(entries, next, bytes.count)
    witness?.raise(to: replay.taken)
    if replay.taken > DurableJournal.longest, replay.taken > 8 * replay.snapshotBytes {
      // It is too long, not wrong: what fails now may succeed later.
      try? rewrite(replay.prefix, replay.state.entries)
    }
  }

  /// Makes the journal of a name that nobody has used yet.
  func create(_ prefix: TopicPrefix, _ entries: [DurableEntry]) throws(BusError) {
    try rewrite(prefix.name, entries)
  }

  // MARK: The file

  private func rewrite(_ prefix: String, _ entries: [DurableEntry]) throws(BusError) {
    let draft = DurableFolder.draft(of: name)
    let file = try DurableFolder.open(draft, in: folder, flags: O_RDWR, create: true)
    // Only now, when it is known to be ours: somebody may have been killed while he wrote it.
    guard ftruncate(file.number, 0) == 0 else {
      throw .system("write to", DurableFolder.path(of: draft))
    }
    var chain = DurableChain()
    var bytes: [UInt8] = []
    chain.append(to: &bytes) { $0 += DurableReplay.header(name, prefix) }
    for entry in entries { chain.append(to: &bytes) { entry.write(to: &$0) } }
    let written = unsafe bytes.withUnsafeBytes { bytes in
      unsafe pwrite(file.number, bytes.baseAddress, bytes.count, 0)
    }
    // On the disk before its name is, so that a power cut cannot leave an empty file.
    guard written == bytes.count, fdatasync(file.number) == 0 else {
      throw .system(
        "write to", DurableFolder.path(of: draft),
        errno: written >= 0 && written < bytes.count ? ENOSPC : errno)
    }
    try witness?.clear()
    guard unsafe renameat(folder.number, draft, folder.number, fileName) == 0 else {
      throw .system("rename", DurableFolder.path(of: draft))
    }
    forget()
    _ = try refresh()
    witness?.raise(to: replay.taken)
  }

  private func reopen() throws(BusError) {
    forget()
    let opened = try DurableFolder.open(fileName, in: folder, flags: O_RDWR)
    var status = stat()
    guard unsafe fstat(opened.number, &status) == 0 else { throw .system("look at", path) }
    file = opened
    identity = TopicFile.Identity(status)
  }

  private func forget() {
    file = nil
    identity = nil
    replay = DurableReplay()
  }

  /// What the journal says, without the lock: an entry that is being written is passed over.
  ///
  /// - Throws: as ``refresh()``.
  static func look(
    _ name: DurableName, in folder: OwnedDescriptor
  ) throws(BusError) -> DurableReplay {
    let witness = try? DurableWitness(
      file: DurableFolder.open(DurableFolder.lock(of: name), in: folder, flags: O_RDONLY),
      path: DurableFolder.path(of: DurableFolder.lock(of: name)))
    var length = witness?.length ?? 0
    var attempts = 0
    while true {
      let fileName = DurableFolder.journal(of: name)
      let file = try DurableFolder.open(fileName, in: folder, flags: O_RDONLY)
      let bytes = try read(file, from: 0, fileName)
      do throws(DurableFlaw) {
        var replay = DurableReplay()
        try replay.take(bytes)
        try replay.check(name, length: length)
        return replay
      } catch {
        // Somebody may have put a shorter one in its place, after that was asked.
        let now = witness?.length ?? 0
        attempts += 1
        if now == length || attempts == 16 { throw error.asError(name) }
        length = now
      }
    }
  }

  private static func read(
    _ file: OwnedDescriptor, from offset: UInt64, _ name: String
  ) throws(BusError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let place = off_t(clamping: offset &+ UInt64(bytes.count))
      let count = unsafe pread(file.number, &chunk, chunk.count, place)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", DurableFolder.path(of: name)) }
      bytes += chunk[..<count]
      if count < chunk.count { return bytes }
    }
  }
}
