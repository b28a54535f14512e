import ConclaveBus

/// What the topic files have of a run.
package struct FilesResult: Equatable, Sendable {
  package let delivered: UInt64
  package let missing: UInt64
  package let duplicates: UInt64
  package let outOfOrder: UInt64
  package let corrupt: UInt64
}

/// Checks that the topic files have every message of a mirrored run once, each sender's in order,
/// by reading them as anybody would.
struct FilesCheck {
  private let plan: StressPlan
  private let directory: BusDirectory
  private let bus: FileBus
  private let subscription: Subscription

  /// To be made before anything is published: what is there already does not count.
  init(_ plan: StressPlan, in directory: String) throws(BusError) {
    self.plan = plan
    self.directory = try BusDirectory(opening: directory)
    // Nobody looks before the end, so nobody has to be told of news.
    bus = try FileBus(directory: self.directory, options: FileBusOptions(useInotify: false))
    subscription = try bus.subscribe(to: TopicPrefix(StressNames.topic), options: .init())
  }

  /// To be called when all workers have ended.
  func run() throws(BusError) -> FilesResult {
    // The last publisher may have ended before it could go on for a mirror that was killed.
    try MirroredBus(directory: directory).close()
    bus.close()
    var check = DeliveryCheck(shares: plan.shares, payloadLength: plan.payloadBytes)
    while !subscription.isEnded {
      let count = try subscription.drain(limit: 1024) { gap in
        check.accept(gap)
      } onMessage: { view, payload in
        check.accept(view, payload)
      }
      if count == 0 { subscription.wait(timeout: .milliseconds(10)) }
    }
    return FilesResult(
      delivered: check.delivered,
      missing: UInt64(plan.messages) - min(UInt64(plan.messages), check.delivered),
      duplicates: check.duplicates, outOfOrder: check.outOfOrder,
      corrupt: check.corrupt + check.gapMismatches)
  }
}
