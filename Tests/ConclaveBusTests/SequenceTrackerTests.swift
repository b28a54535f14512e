import Testing

@testable import ConclaveBus

@Suite struct SequenceTrackerTests {
  /// Feeds one message and says what was missing before it.
  private func see(
    _ tracker: inout SequenceTracker, _ seq: UInt64, process: UInt32 = 1, incarnation: UInt64 = 1,
    sender: String = "a", topic: String = "t"
  ) -> ClosedRange<UInt64>? {
    let sender = Array(sender.utf8)
    let topic = Array(topic.utf8)
    return unsafe sender.withUnsafeBytes { sender in
      unsafe topic.withUnsafeBytes { topic in
        let stream = unsafe SequenceTracker.Stream(
          process: process, incarnation: incarnation, sender: sender, topic: topic)
        let missing = tracker.missing(before: seq, in: stream)
        #expect(tracker.missing(before: seq, in: stream) == nil)
        tracker.delivered(seq, in: stream)
        return missing
      }
    }
  }

  @Test func findsJumps() {
    var tracker = SequenceTracker()
    #expect(see(&tracker, 5) == nil)
    #expect(see(&tracker, 6) == nil)
    #expect(see(&tracker, 9) == 7...8)
    #expect(see(&tracker, 10) == nil)
    #expect(see(&tracker, 7) == nil)
    #expect(see(&tracker, 11) == nil)
    #expect(see(&tracker, 1) == nil)
    #expect(see(&tracker, 3) == 2...2)
    #expect(see(&tracker, .max) == 4...(UInt64.max - 1))
    #expect(see(&tracker, .max) == nil)
  }

  @Test func keepsStreamsApart() {
    var tracker = SequenceTracker()
    #expect(see(&tracker, 1) == nil)
    #expect(see(&tracker, 4, process: 2) == nil)
    #expect(see(&tracker, 4, incarnation: 2) == nil)
    #expect(see(&tracker, 4, sender: "at", topic: "") == nil)
    #expect(see(&tracker, 4, sender: "", topic: "at") == nil)
    #expect(see(&tracker, 4, topic: "u") == nil)
    #expect(see(&tracker, 3) == 2...2)
  }

  @Test func leavesForeignersAlone() {
    var tracker = SequenceTracker()
    for seq in [209, 211, 213] as [UInt64] { #expect(see(&tracker, seq, incarnation: 0) == nil) }
  }

  @Test func forgetsOnlyWhatIsOld() {
    var tracker = SequenceTracker(capacity: 100)
    for stream in 0..<1000 as Range<UInt32> { #expect(see(&tracker, 1, process: stream) == nil) }
    for stream in 900..<1000 as Range<UInt32> {
      #expect(see(&tracker, 3, process: stream) == 2...2)
    }
    #expect(see(&tracker, 3, process: 0) == nil)
  }
}
