import ConclaveBus
import Testing

/// How limits are written, and which hold for a topic.
@Suite struct RetentionPolicyTests {
  @Test(arguments: [
    ("age=7d", RetentionPolicy(age: .seconds(604_800))),
    ("age=90", nil), ("age=90s", RetentionPolicy(age: .seconds(90))),
    ("age=1500ms", RetentionPolicy(age: .milliseconds(1500))),
    ("age=2w,size=1GiB", RetentionPolicy(age: .seconds(1_209_600), size: 1 << 30)),
    ("count=1000000", RetentionPolicy(count: 1_000_000)),
    ("count=5,size=3MiB,age=1h", RetentionPolicy(age: .seconds(3600), size: 3 << 20, count: 5)),
    ("size=0", RetentionPolicy(size: 0)), ("size=4096", RetentionPolicy(size: 4096)),
    ("size=18446744073709551615", RetentionPolicy(size: .max)),
    ("size=18446744073709551616", nil), ("size=18014398509481984KiB", nil),
    ("count=18446744073709551615", RetentionPolicy(count: .max)), ("count=1KiB", nil),
    ("age=36600d", RetentionPolicy(age: .seconds(36_600 * 86_400))), ("age=36601d", nil),
    ("age=99999999999999999999w", nil), ("", nil), (",", nil), ("age", nil), ("age=", nil),
    ("age=d", nil), ("age=-1d", nil), ("age=+1d", nil), ("age=1.5d", nil), ("age= 1d", nil),
    ("age=1d,", nil), (",age=1d", nil), ("age=1d,age=2d", nil), ("size=1GiB,size=1GiB", nil),
    ("Age=1d", nil), ("age=1D", nil), ("size=1GB", nil), ("size=1gib", nil), ("days=3", nil),
    ("age=1d size=1", nil), ("age=1d,size=1=1", nil), ("age=\u{0661}d", nil),
  ])
  func reads(_ text: String, _ policy: RetentionPolicy?) {
    #expect(RetentionPolicy(text) == policy)
  }

  @Test func writesWhatItReads() {
    var random = SeededGenerator(state: 11)
    for _ in 0..<5000 {
      let greatest = UInt64(36_600 * 86_400_000)
      let bits = UInt64.random(in: 0..<64, using: &random)
      let policy = RetentionPolicy(
        age: Bool.random(using: &random)
          ? .milliseconds(Int64(min(random.next() >> bits, greatest))) : nil,
        size: Bool.random(using: &random) ? (random.next() >> bits) << (bits % 31) : nil,
        count: Bool.random(using: &random) ? random.next() >> bits : nil)
      guard !policy.keepsEverything else { continue }
      #expect(RetentionPolicy(policy.description) == policy)
    }
    #expect(RetentionPolicy("age=168h,size=2048MiB")?.description == "age=1w,size=2GiB")
    #expect(RetentionPolicy("age=0s,size=0KiB,count=00")?.description == "age=0ms,size=0,count=0")
  }

  /// Whatever is read means the same once it is written and read again, and nothing traps.
  @Test func survivesAnything() {
    var random = SeededGenerator(state: 12)
    let pieces = [
      "age=", "size=", "count=", "age", "=", ",", ",", "1", "2", "0", "9", "ms", "s", "d", "w",
      "KiB", "GiB", "-", ".", " ", "\0", "\u{301}", "99999999999999999999",
    ]
    var understood = 0
    for _ in 0..<200_000 {
      let count = Int.random(in: 0...9, using: &random)
      let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      guard let policy = RetentionPolicy(text) else { continue }
      understood += 1
      #expect(RetentionPolicy(policy.description) == policy && !policy.keepsEverything, "\(text)")
    }
    #expect(understood > 100)
  }

  @Test func theLongestPrefixHolds() throws {
    let (all, a, ab) = (
      RetentionPolicy(count: 1), RetentionPolicy(count: 2), RetentionPolicy(age: .seconds(3))
    )
    var rules = RetentionRules(
      standard: all,
      rules: [
        .init(prefix: try TopicPrefix("a.b"), policy: ab),
        .init(prefix: try TopicPrefix("a"), policy: a),
      ])
    #expect(try rules.policy(for: Topic("a.b")) == ab)
    #expect(try rules.policy(for: Topic("a.b.c")) == ab)
    #expect(try rules.policy(for: Topic("a.bc")) == a)
    #expect(try rules.policy(for: Topic("ab")) == all)
    rules.rules.append(.init(prefix: .all, policy: RetentionPolicy()))
    #expect(try rules.policy(for: Topic("x")) == RetentionPolicy())
    #expect(try RetentionRules(rules: []).policy(for: Topic("x")) == nil)
  }

  /// A bus that would keep nothing, or sync without end, is not opened.
  @Test func limitsOfNothingAreRefused() throws {
    let scratch = Scratch()
    let wrong = ["count=0", "size=0", "age=0s"].compactMap { RetentionPolicy($0) }
    #expect(wrong.compactMap(\.limitOfNothing) == ["count=0", "size=0", "age=0"])
    #expect(RetentionPolicy("age=1ms,size=1,count=1")?.limitOfNothing == nil)
    for policy in wrong {
      let rule = RetentionRules.Rule(prefix: .all, policy: policy)
      for rules in [RetentionRules(standard: policy), RetentionRules(rules: [rule])] {
        #expect(refusal { _ = try scratch.bus(FileBusOptions(retention: rules)) } == .unsupported)
        var options = MirrorOptions()
        options.file.retention = rules
        #expect(
          refusal { _ = try MirroredBus(directory: scratch.directory(), options: options) }
            == .unsupported)
      }
    }
    let often = MirrorOptions(syncInterval: .zero)
    #expect(
      refusal { _ = try MirroredBus(directory: scratch.directory(), options: often) }
        == .unsupported)
  }

  private func refusal(_ open: () throws -> Void) -> BusError.Code? {
    do {
      try open()
      return nil
    } catch { return (error as? BusError)?.code }
  }
}
