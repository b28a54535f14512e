import ConclaveBus

/// What becomes of the messages of a stretch of history.
protocol HistorySink {
  mutating func take(_ envelope: Envelope) throws
  /// Nothing may be held back: there is a pause now, or the end.
  mutating func flush() throws
}

/// Hands out history at a pace.
struct Replay {
  private let history: History
  private let notes: DeliveryNotes
  /// Ends it.
  let wakeup: Wakeup

  init(_ history: History, _ notes: DeliveryNotes, _ wakeup: Wakeup) {
    self.history = history
    self.notes = notes
    self.wakeup = wakeup
  }

  /// Until the end of the history, or until it is woken.
  ///
  /// - Parameter speed: how many times faster than the messages were published; nil: as fast as
  ///   possible.
  func run(speed: Double?, to sink: inout some HistorySink) throws {
    var pace = speed.map { ReplayPace(speed: $0) }
    while !wakeup.isSignalled, let delivery = try history.next() {
      switch delivery {
      case .gap(let gap): notes.report(gap)
      case .envelope(let envelope):
        if let wait = pace?.wait(before: envelope.timestamp), wait > .zero {
          try sink.flush()
          if wakeup.wait(wait) { return }
        }
        try sink.take(envelope)
      }
    }
    try sink.flush()
  }
}

/// Keeps the distances between messages, by their time stamps.
struct ReplayPace {
  private let speed: Double
  private var first: (time: Timestamp, at: ContinuousClock.Instant)?

  init(speed: Double) { self.speed = speed }

  /// How long it is until the message of this time is due; not more than zero when it is.
  mutating func wait(
    before time: Timestamp, now: ContinuousClock.Instant = .now
  ) -> Duration {
    guard let first else {
      first = (time, now)
      return .zero
    }
    guard first.time < time else { return .zero }
    let distance = time.nanosecondsSinceEpoch - first.time.nanosecondsSinceEpoch
    // A century is as good as any longer time, and no overflow.
    let due = min(Double(distance) / 1e9 / speed, 100 * 366 * 86400)
    return .seconds(due) - first.at.duration(to: now)
  }
}

/// Prints messages as JSON Lines.
struct HistoryPrinter: HistorySink {
  let output: Output

  mutating func take(_ envelope: Envelope) throws {
    envelope.lend { view, payload in view.appendJSON(payload: payload, to: &output.bytes) }
    output.bytes.append(UInt8(ascii: "\n"))
    try output.flushIfLarge()
  }

  mutating func flush() throws { try output.flush() }
}

/// Publishes messages anew: those that follow each other on one topic together.
struct HistoryPublisher: HistorySink {
  private static let batchLimit = 256

  private let bus: any MessageBus
  private let prefix: Topic?
  private var topic: Topic?
  private var batch: [Message] = []
  /// How many messages are on the bus.
  private(set) var published = 0
  var line: StatusLine
  private var lastShown = ContinuousClock.now

  init(_ bus: any MessageBus, prefix: Topic?, _ notes: Notes) {
    self.bus = bus
    self.prefix = prefix
    line = StatusLine(isShown: notes.isWatched && !notes.json)
  }

  mutating func take(_ envelope: Envelope) throws {
    if topic != envelope.topic || batch.count >= HistoryPublisher.batchLimit { try flush() }
    topic = envelope.topic
    batch.append(
      Message(type: envelope.type, sender: envelope.sender, payload: envelope.payload))
  }

  mutating func flush() throws {
    guard let topic, !batch.isEmpty else { return }
    let messages = batch
    batch = []
    do throws(PublishFailure) {
      published += try bus.publish(messages, to: target(topic), wait: .blocking)
    } catch {
      published += error.published
      throw error.cause
    }
    show()
  }

  private func target(_ topic: Topic) throws(PublishFailure) -> Topic {
    do throws(BusError) {
      return try prefix.map { (prefix) throws(BusError) in try Topic("\(prefix.name).\(topic.name)")
      }
        ?? topic
    } catch { throw PublishFailure(error) }
  }

  private mutating func show() {
    guard lastShown.duration(to: .now) > .milliseconds(500) else { return }
    lastShown = .now
    line.show("republished \(published) messages")
  }
}
