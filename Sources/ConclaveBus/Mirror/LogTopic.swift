import Glibc

/// One topic's files as a part of the log: read one after the other, from the place where the
/// reading begins.
final class LogTopic: Placed {
  let topic: Topic
  private let shared: FileBusShared
  private let reporter: FileReporter
  private let start: LogStart
  private(set) var tail: FileTail?
  /// Rotated files up to this number are read, or need not be.
  private var done: UInt64 = 0
  /// Whether the reading has come to where it begins.
  private var hasBegun: Bool
  /// What retention has removed of the topic; nil where that does not matter.
  private let memory: RetentionMemory?
  private(set) var removal: TopicRemoval
  /// Places from this on are wanted and were not seen.
  private var due: UInt64
  /// Whether a file was opened, or none was there, since it was last asked what was removed.
  private var mustAsk = true

  init(
    _ topic: Topic, _ shared: FileBusShared, _ start: LogStart, _ reporter: FileReporter,
    _ memory: RetentionMemory? = nil
  ) {
    self.topic = topic
    self.shared = shared
    self.start = start
    self.reporter = reporter
    self.memory = memory
    removal = TopicRemoval(whole: start.whole)
    due = start.position
    hasBegun = start.time == nil && start.behind?.topic != topic
  }

  var place: FilePlace? { tail?.place }

  /// Makes the next message of the topic the tail's head, if there is one.
  func advance() throws(BusError) -> Bool {
    while true {
      if tail == nil {
        tail = try openNext()
        mustAsk = true
      }
      guard let tail else {
        noteRemovals(before: nil)
        return false
      }
      if try advance(in: tail) { return true }
      guard try isFinished(tail) else { return false }
      // Somebody may have appended just before it was rotated.
      if try advance(in: tail) { return true }
      done = try number(of: tail) ?? done
      self.tail = nil
    }
  }

  private func advance(in tail: FileTail) throws(BusError) -> Bool {
    while try tail.advance(), let head = tail.head {
      if isWanted(head.parts) {
        if let position = head.parts.position {
          noteRemovals(before: position)
          due = max(due, position.addingSaturating(1))
        }
        return true
      }
      tail.consumeHead()
    }
    return false
  }

  /// Whether retention has removed what was wanted: only the files that are there can be asked
  /// first, since it says what it removes before it does.
  ///
  /// - Parameter position: of the topic's next message; nil: there is none.
  private func noteRemovals(before position: UInt64?) {
    guard mustAsk, let memory else { return }
    mustAsk = false
    guard let entry = memory.entry(of: topic), isWanted(entry) else { return }
    let last = entry.position ?? 0
    if let position, position <= last { return }
    let isFirst = due == 0
    // Some of them it was not to have, and so not every message of each stream.
    if isFirst, start.owedSince > Timestamp(nanosecondsSinceEpoch: 0) {
      removal.whole = WholeStreams()
    }
    let isLoss = !isFirst || entry.timestamp >= start.owedSince
    if isLoss { removal.isFelt = true }
    let places = isFirst && start.time != nil ? .max : (last - min(due, last)).addingSaturating(1)
    reporter.messagesRemoved(of: topic, places: places, isLoss: isLoss)
    due = max(due, last.addingSaturating(1))
  }

  private func isWanted(_ removed: RetentionLedger.Entry) -> Bool {
    if due == 0, let time = start.time { return removed.timestamp >= time }
    return removed.position.map { $0 >= due } ?? (due == 0 && start.withForeign)
  }

  /// Whether nothing will be appended to the file any more.
  private func isFinished(_ tail: FileTail) throws(BusError) -> Bool {
    if tail.number != nil { return true }
    let look = try TopicFile.look(at: TopicFileName(topic).text, in: shared.directory)
    return look?.identity != tail.identity
  }

  /// The number that the file has, or was given meanwhile; nil when it is gone.
  private func number(of tail: FileTail) throws(BusError) -> UInt64? {
    if let number = tail.number { return number }
    for number in try numbersToCome() {
      let name = TopicFileName(topic, number: number).text
      let look = try TopicFile.look(at: name, in: shared.directory)
      if look?.identity == tail.identity { return number }
    }
    return nil
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

  private func numbersToCome() throws(BusError) -> [UInt64] {
    try TopicHistory.numbers(of: topic, in: shared.directory).filter { $0 > done }
  }

  private func openNext() throws(BusError) -> FileTail? {
    // Each round means that the topic was rotated meanwhile, or a file removed.
    for _ in 0..<1000 {
      if let number = try numbersToCome().first {
        let name = TopicFileName(topic, number: number)
        if try !liesBefore(name), let tail = try open(name) { return tail }
        done = number
        continue
      }
      let active = try open(TopicFileName(topic))
      if try numbersToCome().isEmpty { return active }
    }
    return nil
  }

  /// Whether all of a rotated file comes before the place where the reading begins.
  private func liesBefore(_ name: TopicFileName) throws(BusError) -> Bool {
    guard start.position > 0 else { return false }
    let last = try TopicFile.lastPosition(in: name, shared.directory)
    return last.map { $0 < start.position } ?? false
  }

  private func open(_ name: TopicFileName) throws(BusError) -> FileTail? {
    let opened: (descriptor: OwnedDescriptor, status: stat)
    do throws(BusError) {
      opened = try TopicFile.open(name.text, in: shared.directory, flags: O_RDONLY)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    let tail = FileTail(
      name, file: opened.descriptor, identity: TopicFile.Identity(opened.status), floor: 0,
      lineLimit: shared.options.lineLimit, reporter: reporter)
    try seek(tail)
    return tail
  }

  /// What is left out by its id must be come across, whatever time it has.
  private func seek(_ tail: FileTail) throws(BusError) {
    if start.position > 0 {
      try tail.seek { $0.position.map { $0 < self.start.position } }
    } else if let time = start.time, start.behind?.topic != topic {
      try tail.seek(near: time)
    }
  }
}
