import Glibc

/// How far the rules of retention have removed each topic, kept in a file beside the topic files,
/// so that who begins to read further back than that can be told. The file is written before
/// anything is removed: an entry may name messages that are still there, never the other way round.
struct RetentionLedger: Equatable, Sendable {
  /// The last message that was removed of a topic.
  struct Entry: Equatable, Sendable {
    /// The greatest ``Envelope/position`` that was removed; nil when no message had one.
    var position: UInt64?
    var timestamp: Timestamp
  }

  static let name = ".retention.removed"

  private(set) var entries: [Topic: Entry] = [:]

  /// What a file says. Lines that say nothing are passed over: nobody's messages hang on them.
  init(_ bytes: some Sequence<UInt8> = []) {
    for line in Array(bytes).split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
      guard words.count == 3, let topic = try? Topic(words[0]), let time = UInt64(words[2]),
        words[1] == "-" || UInt64(words[1]) != nil
      else { continue }
      raise(
        topic,
        Entry(position: UInt64(words[1]), timestamp: Timestamp(nanosecondsSinceEpoch: time)))
    }
  }

  /// - Returns: whether that is news.
  @discardableResult
  mutating func raise(_ topic: Topic, _ entry: Entry) -> Bool {
    guard let before = entries[topic] else {
      entries[topic] = entry
      return true
    }
    let position = entry.position.map { max($0, before.position ?? 0) } ?? before.position
    let raised = Entry(position: position, timestamp: max(entry.timestamp, before.timestamp))
    entries[topic] = raised
    return raised != before
  }

  var bytes: [UInt8] {
    let lines = entries.sorted { $0.key.name < $1.key.name }.map { topic, entry in
      let position = entry.position.map { "\($0)" } ?? "-"
      return "\(topic) \(position) \(entry.timestamp.nanosecondsSinceEpoch)\n"
    }
    return Array(lines.joined().utf8)
  }
}

extension RetentionLedger {
  /// More is not believed.
  private static let greatestSize: UInt64 = 64 << 20

  /// What the file holds; empty where there is none.
  ///
  /// - Throws: `incompatible`, `permissionDenied`, `exhausted`, `system`.
  static func bytes(in directory: OwnedDescriptor) throws(BusError) -> [UInt8] {
    let opened: (descriptor: OwnedDescriptor, status: stat)
    do throws(BusError) {
      opened = try TopicFile.open(name, in: directory, flags: O_RDONLY)
    } catch {
      if error.code == .notFound { return [] }
      throw error
    }
    let size = Int(min(UInt64(max(0, opened.status.st_size)), greatestSize))
    guard size > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: size)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe pread(opened.descriptor.number, bytes.baseAddress, bytes.count, 0)
    }
    guard count >= 0 else { throw .system("read", name) }
    return Array(bytes[..<count])
  }

  /// Notes that the messages of `topic` up to `entry` are about to be removed. Hold the lock of all
  /// sweeps.
  static func note(
    _ topic: Topic, _ entry: Entry, in directory: OwnedDescriptor
  ) throws(BusError) {
    var ledger = RetentionLedger(try bytes(in: directory))
    if ledger.raise(topic, entry) { try ledger.write(in: directory) }
  }

  /// The whole file or nothing: a new one takes the old one's name.
  private func write(in directory: OwnedDescriptor) throws(BusError) {
    let draft = Self.draftName
    unsafe unlinkat(directory.number, draft, 0)
    let file = try TopicFile.open(draft, in: directory, flags: O_WRONLY | O_EXCL, create: true)
    let bytes = bytes
    guard unsafe Glibc.write(file.descriptor.number, bytes, bytes.count) == bytes.count,
      fdatasync(file.descriptor.number) == 0,
      unsafe renameat(directory.number, draft, directory.number, Self.name) == 0
    else { throw .system("write", Self.name) }
  }

  static let draftName = name + ".new"
}

extension BusError {
  /// There is nothing to go on behind.
  ///
  /// - Parameter ring: whether the message was looked for in the ring, too.
  static func noSuchMessage(
    _ id: MessageID, in directory: OwnedDescriptor, ring: Bool = false
  ) -> BusError {
    let isCut = (try? RetentionLedger.bytes(in: directory))?.isEmpty == false
    return BusError(
      .notFound,
      (ring ? "neither a file of this bus nor its ring holds" : "no file of this bus holds")
        + " a message with the id \(id)"
        + (isCut ? " (any more: the rules of retention have removed messages)" : ""),
      hint: "start at the beginning, or with what comes from now on")
  }
}

/// The ledger as one reader of the files sees it. One thread at a time.
final class RetentionMemory {
  private let directory: OwnedDescriptor
  private var bytes: [UInt8] = []
  private var ledger = RetentionLedger()

  init(_ directory: OwnedDescriptor) { self.directory = directory }

  /// How far `topic` has been removed by now; nil when nothing was. One file read.
  func entry(of topic: Topic) -> RetentionLedger.Entry? {
    // Who cannot read it can still read the messages.
    if let now = try? RetentionLedger.bytes(in: directory), now != bytes {
      bytes = now
      ledger = RetentionLedger(now)
    }
    return ledger.entries[topic]
  }
}
