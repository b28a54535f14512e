import Glibc

/// What a file subscription reads: all topic files that match its prefix. One thread at a time.
final class FileReader {
  let shared: FileBusShared
  let prefix: TopicPrefix
  let reporter: FileReporter
  /// What is being read of each topic: one file, the oldest that was not read to its end.
  var tails: [Topic: FileTail] = [:]
  /// The number of the last file of each topic that was read to its end, or passed over.
  var finished: [Topic: UInt64] = [:]
  /// The tails that have an envelope at hand.
  private var ready = TailHeap<FileTail>()
  private var decoder = EnvelopeDecoder()
  var tracker = SequenceTracker()
  /// What retention has removed that was to be read.
  var removals: [Topic: TopicRemoval] = [:]
  let memory: RetentionMemory
  /// Whether it begins with the oldest that is there.
  var beginsWithOldest = false
  /// It is to have what was published since then; the end of time until it has begun.
  var owedSince = Timestamp(nanosecondsSinceEpoch: .max)
  /// Files that cannot be used, reported once.
  var refused: Set<String> = []
  /// How far to read since the bus was closed; nil while it is open.
  private(set) var closing: FileCloseMark?
  private var isCancelled = false
  private var lastLook = ContinuousClock.now

  /// Files should be looked at again soon, without anybody telling.
  var wantsAnotherLook = true
  var wantsAnotherListing = false

  /// How long a replaced file is kept whose lock somebody holds without writing.
  private static let patience = Duration.seconds(1)

  init(shared: FileBusShared, prefix: TopicPrefix, reporter: FileReporter) {
    self.shared = shared
    self.prefix = prefix
    self.reporter = reporter
    memory = RetentionMemory(shared.directory)
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

  // MARK: Looking

  /// Looks for envelopes in every topic that has none at hand.
  func look(listing: Bool) throws(BusError) {
    guard !isCancelled else { return }
    wantsAnotherLook = false
    lastLook = .now
    if listing || wantsAnotherListing {
      try list()
      wantsAnotherLook = false
    }
    for tail in Array(tails.values) where tail.head == nil { try read(tail) }
  }

  /// Looks for the topic's next envelope in `tail`, which has none at hand, and in the files behind
  /// it.
  private func read(_ tail: FileTail) throws(BusError) {
    var tail = tail
    while try !tail.advance() {
      guard try isFinished(tail), let next = goOn(from: tail) else { return }
      tail = next
    }
    ready.insert(tail)
  }

  /// Lets go of a file that was read to its end; returns the topic's next one, if there is one.
  func goOn(from tail: FileTail) -> FileTail? {
    tails[tail.topic] = nil
    finished[tail.topic] = tail.lastNumber
    openNext(tail.topic)
    return tails[tail.topic]
  }

  /// Whether a file that has lost its name is read to the end and nobody can append to it any more.
  func isFinished(_ tail: FileTail) throws(BusError) -> Bool {
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
    if let gap = tracker.gap(before: view, topic, removals[topic] ?? TopicRemoval()) {
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
      // Before anything else is delivered: the next file's messages may be the next in order.
      if tail.replacedSince != nil { try read(tail) }
    }
  }

  // MARK: Closing

  /// From here on nothing is delivered beyond `mark`: what was in each file when the bus was
  /// closed.
  func beginClosing(_ mark: FileCloseMark) throws(BusError) {
    closing = mark
    for tail in tails.values {
      // A file that lost its name before is read to its end.
      tail.limit = try mark.holds(tail) ? mark.limit(of: tail) : tail.size()
    }
    try list()
  }

  /// Puts a tail that has an envelope at hand among those to deliver from.
  func noteReady(_ tail: FileTail) { ready.insert(tail) }
}
