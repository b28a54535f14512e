import CShim

/// How far a run is, for people who watch.
package struct StressProgress: Equatable, Sendable {
  /// The messages that the slowest subscriber has accounted for; without one, that were published.
  package let accounted: UInt64
  package let total: UInt64
  package let secondsSinceStart: Double
}

/// What a stress run found out.
package struct StressResult: Sendable {
  package struct Latency: Equatable, Sendable {
    package let p50: Double
    package let p99: Double
    package let p999: Double
    package let max: Double
  }

  package let plan: StressPlan
  /// From the common start to the moment when the slowest subscriber had everything.
  package let seconds: Double
  /// Per subscriber.
  package let delivered: [UInt64]
  package let lost: [UInt64]
  package let gapsReported: [UInt64]
  /// Over all subscribers.
  package let duplicates: UInt64
  package let outOfOrder: UInt64
  package let corrupt: UInt64
  package let gapMismatches: UInt64
  /// Of all workers.
  package let cpuSeconds: Double
  package let longestPublisherStallMilliseconds: Double
  /// How often a publisher had to wait; nil where the transport does not count that.
  package let backPressureWaits: UInt64?
  /// One way, from the time at which a message was due, in microseconds; nil without a rate.
  package let latencyMicroseconds: Latency?
  /// From the common start to the moment when the last message was in the topic files; nil without
  /// a mirror, and when it was killed.
  package let mirrorSeconds: Double?
  /// How many records the mirror was behind when the last publisher was done; nil likewise.
  package let mirrorLag: UInt64?
  /// What the topic files have; nil without a mirror.
  package var files: FilesResult?

  /// The total over the time.
  package var messagesPerSecond: Double { seconds > 0 ? Double(plan.messages) / seconds : 0 }

  /// The total over the time until all were in the files; nil without a mirror, and when it was
  /// killed.
  package var mirroredPerSecond: Double? {
    mirrorSeconds.flatMap { $0 > 0 ? Double(plan.messages) / $0 : nil }
  }

  /// What should not have happened, in words; empty when all is well.
  package var faults: [String] {
    var faults: [String] = []
    func add(_ count: UInt64, _ what: String) {
      if count > 0 { faults.append("\(count) \(what)") }
    }
    if plan.policy == .backPressure { add(lost.reduce(0, +), "lost under back pressure") }
    for (index, (lost, reported)) in zip(lost, gapsReported).enumerated() where lost != reported {
      faults.append("subscriber \(index) lost \(lost) but was told of \(reported)")
    }
    add(gapMismatches, "gaps that do not fit the messages around them")
    add(duplicates, "duplicated")
    add(outOfOrder, "out of order")
    add(corrupt, "corrupt")
    if let files {
      add(files.missing, "missing in the files")
      add(files.duplicates, "duplicated in the files")
      add(files.outOfOrder, "out of order in the files")
      add(files.corrupt, "corrupt in the files")
    }
    return faults
  }
}

extension StressProgress {
  init(_ plan: StressPlan, accounted: UInt64, start: UInt64) {
    self.accounted = accounted
    total = UInt64(plan.messages)
    secondsSinceStart = start == 0 ? 0 : secondsBetween(start, conclave_monotonic_ns())
  }
}

extension StressResult {
  /// Puts together what the workers of a finished run reported.
  init(_ plan: StressPlan, _ state: StressState, start: UInt64, cpuSeconds: Double) {
    let received = (0..<plan.subscribers).compactMap { state.received[$0] }
    let published = (0..<plan.publishers).compactMap { state.published[$0] }
    let ends = received.isEmpty ? published.map(\.finished) : received.map(\.finished)
    let waits = published.compactMap(\.backPressureWaits)
    self.plan = plan
    seconds = secondsBetween(start, ends.max() ?? start)
    delivered = received.map(\.delivered)
    lost = received.map { UInt64(plan.messages) - min(UInt64(plan.messages), $0.delivered) }
    gapsReported = received.map(\.gapsReported)
    duplicates = received.map(\.duplicates).reduce(0, +)
    outOfOrder = received.map(\.outOfOrder).reduce(0, +)
    corrupt = received.map(\.corrupt).reduce(0, +)
    gapMismatches = received.map(\.gapMismatches).reduce(0, +)
    self.cpuSeconds = cpuSeconds
    longestPublisherStallMilliseconds =
      Double(published.map(\.longestStallNanoseconds).max() ?? 0) / 1e6
    backPressureWaits = waits.isEmpty ? nil : waits.reduce(0, +)
    latencyMicroseconds = Latency(received.compactMap(\.latency))
    mirrorSeconds = state.mirrored.map { secondsBetween(start, $0.finished) }
    mirrorLag = state.mirrored?.lag
  }
}

extension StressResult.Latency {
  /// Over all subscribers; nil when nothing was measured.
  init?(_ histograms: [LatencyHistogram]) {
    guard var all = histograms.first else { return nil }
    for histogram in histograms.dropFirst() { all.merge(histogram) }
    p50 = Double(all.percentile(0.5)) / 1e3
    p99 = Double(all.percentile(0.99)) / 1e3
    p999 = Double(all.percentile(0.999)) / 1e3
    max = Double(all.maximum) / 1e3
  }
}

private func secondsBetween(_ start: UInt64, _ end: UInt64) -> Double {
  end > start ? Double(end - start) / 1e9 : 0
}
