import Glibc

/// Reads the log: the topic files that match a prefix, in the order of places in the log. One
/// thread at a time.
final class LogReader {
  private let shared: FileBusShared
  private let prefix: TopicPrefix
  private let start: LogStart
  private let reporter: FileReporter
  private var topics: [Topic: LogTopic] = [:]
  /// Those with a message at hand that may be delivered.
  private var ready = TailHeap<LogTopic>()
  private var decoder = EnvelopeDecoder()
  var tracker: SequenceTracker
  private var refused: Set<Topic> = []
  private let memory: RetentionMemory

  init(
    _ shared: FileBusShared, prefix: TopicPrefix, start: LogStart, tracker: SequenceTracker,
    reporter: FileReporter
  ) {
    self.shared = shared
    self.prefix = prefix
    self.start = start
    self.tracker = tracker
    self.reporter = reporter
    memory = RetentionMemory(shared.directory)
  }

  /// The topics of which retention has removed what was to be read.
  var removals: [Topic: TopicRemoval] {
    topics.compactMapValues { $0.removal.isFelt ? $0.removal : nil }
  }

  /// Whether messages are at hand.
  var hasBacklog: Bool { ready.first != nil }

  /// Looks for messages whose places are below `limit`, in all files.
  func look(below limit: UInt64) throws(BusError) {
    for topic in try TopicHistory(in: shared.directory).topics.keys
    where topics[topic] == nil && prefix.matches(topic) {
      topics[topic] = LogTopic(topic, shared, start, reporter, memory)
    }
    ready = TailHeap<LogTopic>()
    for topic in topics.values {
      do throws(BusError) {
        if topic.tail?.head == nil { _ = try topic.advance() }
        if isBelow(limit, topic) { ready.insert(topic) }
      } catch {
        guard [.incompatible, .permissionDenied, .exhausted].contains(error.code) else {
          throw error
        }
        if refused.insert(topic.topic).inserted {
          reporter.unusableFile(TopicFileName(topic.topic).text, error.message)
        }
      }
    }
  }

  private func isBelow(_ limit: UInt64, _ topic: LogTopic) -> Bool {
    topic.tail?.head.map { $0.parts.position.map { $0 < limit } ?? true } ?? false
  }

  /// Hands out at most `limit` deliveries of what is at hand, and looks for more of it as it goes.
  func deliver(
    below end: UInt64, limit: Int, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Int {
    var count = 0
    while count < limit, let topic = ready.first, let tail = topic.tail, let head = tail.head {
      do throws(EnvelopeFlaw) {
        let isDelivered = unsafe try decoder.lend(
          head.parts, tail.bytes(head.line), topic: tail.topicBytes
        ) { view, payload in
          hand(view, payload, topic, onGap, onMessage)
        }
        count += 1
        // A gap came first; the message itself is next.
        if !isDelivered { continue }
      } catch { tail.reportDamage(error) }
      tail.consumeHead()
      if try topic.advance(), isBelow(end, topic) {
        ready.reorderFirst()
      } else {
        ready.removeFirst()
      }
    }
    return count
  }

  /// - Returns: whether the message was handed out, and not the gap before it.
  private func hand(
    _ view: borrowing EnvelopeView, _ payload: RawSpan, _ topic: LogTopic, _ onGap: (Gap) -> Void,
    _ onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) -> Bool {
    if let gap = tracker.gap(before: view, topic.topic, topic.removal) {
      reporter.gap(of: gap.count)
      onGap(gap)
      return false
    }
    onMessage(view, payload)
    tracker.delivered(view)
    return true
  }
}
