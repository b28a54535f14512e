import Glibc

/// One topic's files as a part of the log: read one after the other, from the place where the
/// reading begins.
final class LogTopic: Placed {
  let topic: Topic
  private let shared: FileBusShared
  private let reporter: FileReporter
  private let start: LogStart
  private(set) var tail: FileTail?
  /// Whether the reading has come to where it begins.
  private var hasBegun: Bool

  init(_ topic: Topic, _ shared: FileBusShared, _ start: LogStart, _ reporter: FileReporter) {
    self.topic = topic
    self.shared = shared
    self.start = start
    self.reporter = reporter
    hasBegun = start.time == nil && start.behind?.topic != topic
  }

  var place: FilePlace? { tail?.place }

  /// Makes the next message of the topic the tail's head, if there is one.
  func advance() throws(BusError) -> Bool {
    if tail == nil { tail = try open() }
    guard let tail else { return false }
    while try tail.advance(), let head = tail.head {
      if isWanted(head.parts) { return true }
      tail.consumeHead()
    }
    return false
  }

  private func isWanted(_ parts: EnvelopeLine) -> Bool {
    if let position = parts.position {
      guard position >= start.position else { return false }
    } else if !start.withForeign {
      return false
    }
    guard !hasBegun else { return true }
    if let behind = start.behind, behind.topic == topic {
      hasBegun = parts.id == behind.id
      return false
    }
    hasBegun = start.time.map { parts.timestamp >= $0 } ?? true
    return hasBegun
  }

  private func open() throws(BusError) -> FileTail? {
    let name = TopicFile.name(of: topic)
    guard let look = try TopicFile.look(at: name, in: shared.directory) else { return nil }
    let (file, _) = try TopicFile.open(name, in: shared.directory, flags: O_RDONLY)
    let tail = FileTail(
      topic: topic, name: name, file: file, identity: look.identity,
      lineLimit: shared.options.lineLimit, reporter: reporter)
    try seek(tail)
    return tail
  }

  private func seek(_ tail: FileTail) throws(BusError) {
    if start.position > 0 {
      try tail.seek { $0.position.map { $0 < self.start.position } }
    } else if let time = start.time {
      try tail.seek(near: time)
    }
  }
}
