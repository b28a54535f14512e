/// The endpoint of a ``Publisher`` on a ``ChannelBus``. Keeps the bus open.
final class ChannelEndpoint: PublisherEndpoint {
  private let bus: ChannelBus
  private let names: ChannelNames

  init(bus: ChannelBus, names: ChannelNames) {
    self.bus = bus
    self.names = names
  }

  func publish(validated payload: RawSpan, wait: PublishWait) throws(BusError) -> Bool {
    try bus.checkNotForked()
    try bus.checkSize(payload.byteCount)
    let draft = ChannelCore.Draft(
      names: names,
      payload: RawJSON(validated: unsafe payload.withUnsafeBytes { unsafe Array($0) }))
    do throws(PublishFailure) {
      return try bus.publish(count: 1, wait: wait) { _ in draft } == 1
    } catch { throw error.cause }
  }

  func publish(validated payloads: [RawJSON], wait: PublishWait) throws(PublishFailure) -> Int {
    do throws(BusError) {
      try bus.checkNotForked()
      for payload in payloads {
        try bus.checkSize(payload.bytes.count)
      }
    } catch { throw PublishFailure(error) }
    return try bus.publish(count: payloads.count, wait: wait) { index in
      ChannelCore.Draft(names: names, payload: payloads[index])
    }
  }
}
