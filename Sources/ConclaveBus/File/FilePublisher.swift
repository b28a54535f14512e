/// Publishes one stream, whose names were rendered once, to one topic's file.
final class FilePublisher: PublisherEndpoint {
  private let appender: TopicAppender
  private let template: EnvelopeTemplate
  private let sender: Int

  init(_ appender: TopicAppender, sender: String, type: String) {
    self.appender = appender
    let shared = appender.shared
    template = EnvelopeTemplate(
      process: shared.process, incarnation: shared.incarnation, sender: sender,
      topic: appender.topic, type: type)
    self.sender = appender.index(of: sender)
  }

  func publish(validated payload: RawSpan, wait: PublishWait) throws(BusError) -> Bool {
    let shared = appender.shared
    try shared.checkOpen()
    try shared.checkSize(payload.byteCount)
    do throws(PublishFailure) {
      let published = try appender.append(wait: wait) { (state) throws(BusError) in
        try add(payload, ProcessIdentity.nextIDs(1), &state)
      }
      return published == 1
    } catch { throw error.cause }
  }

  func publish(
    validated payloads: [RawJSON], wait: PublishWait
  ) throws(PublishFailure) -> Int {
    let shared = appender.shared
    do throws(BusError) {
      try shared.checkOpen()
      for payload in payloads { try shared.checkSize(payload.bytes.count) }
    } catch { throw PublishFailure(error) }
    return try appender.append(wait: wait) { (state) throws(BusError) in
      let first = ProcessIdentity.nextIDs(payloads.count)
      for (index, payload) in payloads.enumerated() {
        try unsafe add(payload.bytes.span.bytes, first &+ UInt64(index), &state)
      }
    }
  }

  private func add(
    _ payload: RawSpan, _ counter: UInt64, _ state: inout TopicAppender.State
  ) throws(BusError) {
    let failure = unsafe payload.withUnsafeBytes { bytes -> BusError? in
      do throws(BusError) {
        unsafe try state.addLine(
          template, sender: sender, counter: counter, payload: bytes,
          options: appender.shared.options)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
