import Testing

@testable import ConclaveStress

@Suite struct LatencyHistogramTests {
  /// Values over many powers of two, always the same ones.
  private static let values: [UInt64] = {
    var state: UInt64 = 42
    return (0..<20_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 24) >> (state % 37)
    }
  }()

  private static func histogram(_ values: some Sequence<UInt64>) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for value in values { histogram.record(value) }
    return histogram
  }

  @Test(arguments: [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0])
  func percentiles(_ share: Double) {
    let sorted = Self.values.sorted()
    let index = max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)
    let exact = sorted[index]
    let found = Self.histogram(Self.values).percentile(share)
    #expect(found >= exact)
    #expect(Double(found) <= Double(exact) * 1.001)
  }

  @Test func edges() {
    #expect(LatencyHistogram().percentile(0.5) == 0)
    #expect(LatencyHistogram().maximum == 0)
    for value in [0, 1, 2047, 2048, 2049, 1 << 40 - 1] as [UInt64] {
      #expect(Self.histogram([value]).percentile(0.5) == value)
    }
    // Beyond the last bucket: still counted, and the maximum is exact.
    let far = Self.histogram([.max, 5])
    #expect(far.total == 2 && far.maximum == .max && far.percentile(0.5) == 5)
  }

  @Test func merging() {
    var merged = Self.histogram(Self.values.prefix(5000))
    merged.merge(Self.histogram(Self.values.dropFirst(5000)))
    #expect(merged == Self.histogram(Self.values))
  }

  @Test func text() {
    for values in [[], Self.values] {
      let histogram = Self.histogram(values)
      #expect(LatencyHistogram(text: histogram.text) == histogram)
    }
    for text in ["", ";1:1", "1", "1;x", "1;1", "1;1:x", "1;99999999:1", "1;-1:1"] {
      #expect(LatencyHistogram(text: text) == nil)
    }
  }
}
