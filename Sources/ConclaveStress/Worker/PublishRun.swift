import CShim
import ConclaveBus

/// A publisher's part: its share of the messages, one by one or in batches, at full speed or paced.
struct PublishRun: ~Copyable {
  private static let reportNanoseconds: UInt64 = 1_000_000_000
  /// The longest sleep: how soon a thread notices that it is not wanted any more.
  private static let napNanoseconds: UInt64 = 100_000_000

  private let publisher: Publisher
  private let link: WorkerLink
  private let writer: PayloadWriter
  private let share: UInt64
  private let batch: UInt64
  private let schedule: Schedule?
  private var stalls: StallClock
  private var lastReport: UInt64

  init(
    _ plan: StressPlan, index: Int, publisher: Publisher, link: WorkerLink, start: UInt64
  ) {
    self.publisher = publisher
    self.link = link
    writer = PayloadWriter(publisher: index, length: plan.payloadBytes)
    share = plan.shares[index]
    batch = UInt64(plan.batch)
    schedule = plan.rate.map {
      Schedule(
        start: start, rate: UInt64($0), publishers: UInt64(plan.publishers),
        publisher: UInt64(index))
    }
    stalls = StallClock(start: start)
    lastReport = start
  }

  /// Publishes everything, unless the coordinator hangs up.
  mutating func run() throws(BusError) -> PublisherResult {
    if let schedule {
      try runPaced(by: schedule)
    } else if batch == 1 {
      try runOneByOne()
    } else {
      try runInBatches()
    }
    stalls.tick()
    return PublisherResult(
      published: share, longestStallNanoseconds: stalls.longest, finished: stalls.last)
  }

  private mutating func runOneByOne() throws(BusError) {
    var number: UInt64 = 1
    while number <= share {
      let pause = min(share, number + UInt64(StallClock.interval) - 1)
      while number <= pause {
        try publishOne(number, due: 0)
        number += 1
      }
      noteProgress(pause)
    }
  }

  private mutating func runInBatches() throws(BusError) {
    var number: UInt64 = 1
    while number <= share {
      let last = min(share, number + batch - 1)
      try publishBatch(number...last) { _ in 0 }
      noteProgress(last)
      number = last + 1
    }
  }

  /// Sleeps until the next message is due, then publishes everything that is due by now: a message
  /// that is late keeps the time at which it was due, and its lateness counts as latency.
  private mutating func runPaced(by schedule: Schedule) throws(BusError) {
    conclave_pace_precisely()
    var number: UInt64 = 1
    while number <= share {
      let due = schedule.due(number)
      let now = sleep(until: due)
      if now < due { return }
      var last = number
      while last < share, last - number + 1 < batch, schedule.due(last + 1) <= now { last += 1 }
      if batch == 1 {
        try publishOne(number, due: due)
      } else {
        try publishBatch(number...last) { schedule.due($0) }
      }
      noteProgress(last)
      number = last + 1
    }
  }

  /// Returns the time: `due` or later, or earlier when the coordinator has hung up.
  private mutating func sleep(until due: UInt64) -> UInt64 {
    var now = conclave_monotonic_ns()
    guard now < due else { return now }
    while now < due, !link.isAbandoned {
      conclave_pace_until(min(due, now + PublishRun.napNanoseconds))
      now = conclave_monotonic_ns()
    }
    stalls.rest(until: min(due, now))
    return now
  }

  private mutating func noteProgress(_ number: UInt64) {
    stalls.tick()
    guard stalls.last - lastReport >= PublishRun.reportNanoseconds else { return }
    lastReport = stalls.last
    link.send(.progress(number))
  }

  @inline(__always)
  private borrowing func publishOne(_ number: UInt64, due: UInt64) throws(BusError) {
    try writer.withPayload(number: number, due: due) { (payload) throws(BusError) in
      try publisher.publish(json: payload)
    }
  }

  private borrowing func publishBatch(
    _ numbers: ClosedRange<UInt64>, due: (UInt64) -> UInt64
  ) throws(BusError) {
    var payloads: [RawJSON] = []
    payloads.reserveCapacity(Int(numbers.count))
    for number in numbers {
      try writer.withPayload(number: number, due: due(number)) { (payload) throws(BusError) in
        try unsafe payloads.append(RawJSON(payload.withUnsafeBytes { unsafe Array($0) }))
      }
    }
    do throws(PublishFailure) {
      try publisher.publish(batch: payloads)
    } catch { throw error.cause }
  }
}
