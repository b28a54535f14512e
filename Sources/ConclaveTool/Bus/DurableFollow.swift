import CShim
import ConclaveBus
import SharedRing

/// `conclave bus subscribe --durable`: prints what one member of a durable subscription is handed,
/// and acknowledges it.
struct DurableFollow {
  static let durable = Option(
    "durable", value: "NAME",
    "take part in the durable subscription with this name: each message goes to one of its "
      + "members, and comes again until it is acknowledged; needs the mirrored bus")
  static let ack = Option(
    "ack", value: "auto|manual",
    "with --durable: acknowledge what is printed and flushed (the default), or what lines on "
      + "standard input name, each by an id or a position")

  enum Acknowledging: String, CaseIterable {
    case auto, manual
  }

  let subscription: DurableSubscription
  let output: Output
  let notes: DeliveryNotes
  let limit: Int
  let idle: Duration?
  /// Reads what is acknowledged; nil when that is done here.
  let acknowledger: Acknowledger?

  static func run(
    _ name: DurableName, _ arguments: Arguments, _ console: Console, _ prefix: TopicPrefix,
    limit: Int?, idle: Duration?, start: SubscriptionOptions.Start, isStrict: Bool
  ) throws -> ExitCode {
    let acknowledging = try arguments.word(ack, of: Acknowledging.self)
    let transport = try arguments.word(.transport, of: Transport.self)
    guard transport == nil || transport == .mirror else {
      throw usageError(
        "--durable needs the mirrored bus, not --transport \(transport?.rawValue ?? "")",
        hint: "use --transport mirror, or leave it out; others may publish with "
          + "--transport shm all the same")
    }
    let notes = DeliveryNotes(notes: console.notes)
    let bus = try MirroredBus(
      directory: arguments.busDirectory(create: true),
      options: BusSettings().mirror(notes))
    defer { bus.close() }
    let subscription = try bus.subscribe(
      durable: name, to: prefix,
      options: DurableOptions(start: start, onWarning: { notes.warn($0) }))
    defer { subscription.close() }
    let acknowledger =
      acknowledging == .manual
      ? try Acknowledger(subscription, notes: console.notes, limit: limit ?? .max) : nil
    let interruption = try Interruption.watch(output: true) {
      subscription.close()
      acknowledger?.end()
    }
    let follow = DurableFollow(
      subscription: subscription, output: console.output, notes: notes, limit: limit ?? .max,
      idle: idle, acknowledger: acknowledger)
    let printed = try follow.follow()
    if let exit = interruption.exitCode { return exit }
    if isStrict, !subscription.losses.isNone { return .degraded }
    if let acknowledger { return try acknowledger.wait() }
    guard let idle, printed < follow.limit, !subscription.isEnded else { return .success }
    throw ToolError(
      .timedOut, code: "timeout",
      "nothing arrived for \(decimal(idle / .seconds(1), digits: 3)) s",
      hint: "wait longer with --timeout, or begin earlier with --from")
  }

  /// - Returns: how many were printed.
  private func follow() throws -> Int {
    try acknowledger?.begin()
    var printed = 0
    while printed < limit {
      guard let first = try subscription.receive(timeout: idle) else {
        if idle != nil, !subscription.isEnded { acknowledger?.timeOut() }
        return printed
      }
      var last = first
      try print(first)
      printed += 1
      // What is there goes out together, and is acknowledged with one line in the journal.
      for _ in 0..<64 where printed < limit {
        guard let next = try subscription.poll() else { break }
        try print(next)
        printed += 1
        last = next
      }
      try output.flush()
      if acknowledger == nil { try subscription.acknowledge(upTo: last) }
    }
    return printed
  }

  private func print(_ delivery: DurableDelivery) throws {
    for gap in delivery.gaps { notes.report(gap) }
    delivery.envelope.appendJSON(to: &output.bytes)
    output.bytes.removeLast()
    output.bytes += Array(
      ",\"redelivered\":\(delivery.redelivered),\"attempt\":\(delivery.attempt)}\n".utf8)
    try output.flushIfLarge()
  }
}

/// Acknowledges what lines on standard input name, on a thread of its own.
final class Acknowledger: Sendable {
  private let subscription: DurableSubscription
  private let notes: Notes
  /// So many acknowledged messages are enough.
  private let limit: Int
  private let ended: EventDescriptor
  private let state = Lock(State())

  private struct State {
    var acknowledged = 0
    var failure: (any Error)?
    var isTimedOut = false
  }

  init(_ subscription: DurableSubscription, notes: Notes, limit: Int) throws {
    self.subscription = subscription
    self.notes = notes
    self.limit = limit
    ended = try EventDescriptor()
  }

  /// For the thread, which can be told nothing.
  private static let current = Lock<Acknowledger?>(nil)

  /// Call once.
  func begin() throws {
    Acknowledger.current.withLock { $0 = self }
    let failure = conclave_thread_start { Acknowledger.current.withLock { $0 }?.work() }
    guard failure == 0 else {
      throw ToolError(.failure, code: "system", "cannot read input: \(errorText(failure))")
    }
  }

  private func work() {
    do { try read() } catch { state.withLock { $0.failure = error } }
    end()
  }

  private func read() throws {
    var input = Input()
    while let lines = try input.nextLines() {
      for line in lines {
        let text = String(decoding: line, as: UTF8.self)
        let isDone =
          if let position = UInt64(text) {
            try subscription.acknowledge(position: position)
          } else if let id = MessageID(text) {
            try subscription.acknowledge(id: id)
          } else { false }
        if isDone {
          state.withLock { $0.acknowledged += 1 }
        } else if !text.isEmpty {
          notes.say("conclave: warning: \(quoted(text)) is not to be acknowledged")
        }
      }
      if state.withLock({ $0.acknowledged }) >= limit { return }
    }
  }

  /// Nothing more is printed, and nobody waits any more.
  func end() {
    subscription.close()
    ended.signal()
  }

  func timeOut() {
    state.withLock { $0.isTimedOut = true }
    end()
  }

  /// Waits for the end of the input, or until everything that was wanted is acknowledged.
  func wait() throws -> ExitCode {
    ended.wait()
    let (failure, isTimedOut) = state.withLock { ($0.failure, $0.isTimedOut) }
    if let failure { throw failure }
    return isTimedOut ? .timedOut : .success
  }
}
