import Glibc

/// What a file subscription reads: all topic files that match its prefix. One thread at a time.
final class FileReader {
  let shared: FileBusShared
  private let prefix: TopicPrefix
  private let reporter: FileReporter
  private(set) var tails: [String: FileTail] = [:]
  /// The tails that have an envelope at hand.
  private var ready = TailHeap<FileTail>()
  private var decoder = EnvelopeDecoder()
  private var tracker = SequenceTracker()
  /// Files that cannot be used, reported once.
  private var refused: Set<String> = []
  /// How far to read since the bus was closed; nil while it is open.
  private var closing: FileCloseMark?
  private var isCancelled = false
  private var lastLook = ContinuousClock.now

  /// Files should be looked at again soon, without anybody telling.
  private(set) var wantsAnotherLook = true
  private var wantsAnotherListing = false

  /// How long a replaced file is kept whose lock somebody holds without writing.
  private static let patience = Duration.seconds(1)

  init(shared: FileBusShared, prefix: TopicPrefix, reporter: FileReporter) {
    self.shared = shared
    self.prefix = prefix
    self.reporter = reporter
  }

  /// Whether envelopes are at hand without looking at any file.
  var hasBacklog: Bool { ready.first != nil }

  /// Whether nothing will ever be delivered again.
  var hasEnded: Bool {
    isCancelled || (closing != nil && ready.first == nil && !wantsAnotherLook)
  }

  /// Whether a reader that is not told of news should look at the files now.
  var isPollDue: Bool {
    !hasBacklog || lastLook.duration(to: .now) >= shared.options.pollInterval
  }

  func cancel() {
    isCancelled = true
    tails = [:]
    ready = TailHeap<FileTail>()
  }

  // MARK: Finding files

  /// Lists the directory: opens new files at their beginning, notices those that were replaced.
  func list() throws(BusError) {
    wantsAnotherListing = false
    var present: Set<String> = []
    for (name, topic) in try TopicFile.names(in: shared.directory) where prefix.matches(topic) {
      guard let look = try TopicFile.look(at: name, in: shared.directory) else { continue }
      present.insert(name)
      if let tail = tails[name] {
        guard tail.identity != look.identity, tail.replacedSince == nil else { continue }
        tail.replacedSince = .now
        reporter.warn(.fileReplaced(file: name))
      } else {
        open(name, topic)
      }
    }
    for (name, tail) in tails where !present.contains(name) {
      tail.replacedSince = tail.replacedSince ?? .now
    }
    refused.formIntersection(present)
    wantsAnotherLook = true
  }

  private func open(_ name: String, _ topic: Topic) {
    do throws(BusError) {
      let (file, status) = try TopicFile.open(name, in: shared.directory, flags: O_RDONLY)
      refused.remove(name)
      let tail = FileTail(
        topic: topic, name: name, file: file, identity: TopicFile.Identity(status),
        lineLimit: shared.options.lineLimit, reporter: reporter)
      // A file that was made after the bus was closed is none of ours.
      if let closing, !closing.holds(tail) { return }
      tail.limit = closing?.ends[name]?.size
      tails[name] = tail
    } catch {
      guard error.code != .notFound else { return }
      // Tried again with each listing: descriptors may become free, a squatter may be moved away.
      wantsAnotherListing = true
      guard refused.insert(name).inserted else { return }
      reporter.unusableFile(name, TopicFile.flaw(of: name, in: shared.directory) ?? error.message)
    }
  }

  // MARK: Looking

  /// Looks for envelopes in every file that has none at hand.
  func look(listing: Bool) throws(BusError) {
    guard !isCancelled else { return }
    wantsAnotherLook = false
    lastLook = .now
    if listing || wantsAnotherListing {
      try list()
      wantsAnotherLook = false
    }
    var isReplaced = false
    for (name, tail) in tails where tail.head == nil {
      if try tail.advance() {
        ready.insert(tail)
      } else if try isFinished(tail) {
        tails[name] = nil
        isReplaced = true
      }
    }
    // The files that now bear those names.
    if isReplaced { try look(listing: true) }
  }

  /// Whether a file that has lost its name is read to the end and nobody can append to it any more.
  private func isFinished(_ tail: FileTail) throws(BusError) -> Bool {
    guard let since = tail.replacedSince else { return false }
    guard tail.isAbandoned() else {
      wantsAnotherLook = true
      return since.duration(to: .now) > FileReader.patience
    }
    defer { tail.releaseLock() }
    // Somebody may have appended between the last look and the lock.
    guard try tail.advance() else { return true }
    ready.insert(tail)
    return false
  }

  // MARK: Delivering

  /// Hands out at most `limit` deliveries of what is at hand.
  func deliver(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Int {
    var count = 0
    while count < limit, let tail = ready.first, let head = tail.head {
      do throws(EnvelopeFlaw) {
        let isDelivered = unsafe try decoder.lend(
          head.parts, tail.bytes(head.line), topic: tail.topicBytes
        ) { view, payload in
          hand(view, payload, tail.topic, onGap, onMessage)
        }
        count += 1
        // A gap came first; the message itself is next.
        if !isDelivered { continue }
      } catch { tail.reportDamage(error) }
      try step(tail)
    }
    return count
  }

  /// - Returns: whether the message was handed out, and not the gap before it.
  private func hand(
    _ view: borrowing EnvelopeView, _ payload: RawSpan, _ topic: Topic, _ onGap: (Gap) -> Void,
    _ onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) -> Bool {
    if let gap = tracker.gap(before: view, topic) {
      reporter.gap(of: gap.count)
      onGap(gap)
      return false
    }
    onMessage(view, payload)
    tracker.delivered(view)
    return true
  }

  private func step(_ tail: FileTail) throws(BusError) {
    tail.consumeHead()
    if try tail.advance() {
      ready.reorderFirst()
    } else {
      ready.removeFirst()
      if tail.replacedSince != nil { wantsAnotherLook = true }
    }
  }

  // MARK: Closing

  /// From here on nothing is delivered beyond `mark`: what was in each file when the bus was
  /// closed.
  func beginClosing(_ mark: FileCloseMark) throws(BusError) {
    closing = mark
    for (name, tail) in tails {
      // A file that lost its name before is read to its end.
      tail.limit = try mark.holds(tail) ? mark.ends[name]?.size : tail.size()
    }
    try list()
  }

  /// Puts a tail that has an envelope at hand among those to deliver from.
  func noteReady(_ tail: FileTail) { ready.insert(tail) }
}
