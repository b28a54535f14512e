import Glibc

/// The places in the bus's total order that a topic file holds.
enum TopicFilePositions {
  /// The greatest position in a file; nil when no message in it has one, or it is gone. Reads all
  /// of it: O(bytes). A file's last message mostly tells it, since positions rise along a file.
  static func greatest(
    in name: TopicFileName, _ shared: FileBusShared
  ) throws(BusError) -> UInt64? {
    let opened: (descriptor: OwnedDescriptor, status: stat)
    do throws(BusError) {
      opened = try TopicFile.open(name.text, in: shared.directory, flags: O_RDONLY)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    let tail = FileTail(
      name, file: opened.descriptor, identity: TopicFile.Identity(opened.status), floor: 0,
      lineLimit: shared.options.lineLimit, reporter: FileReporter(onWarning: nil))
    var greatest: UInt64?
    while try tail.advance() {
      if let position = tail.head?.parts.position { greatest = max(greatest ?? 0, position) }
      tail.consumeHead()
    }
    return greatest
  }
}
