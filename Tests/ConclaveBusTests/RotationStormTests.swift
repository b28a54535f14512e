import ConclaveBus
import Glibc
import SharedRing
import Synchronization
import Testing

/// Rotation while writers are killed at any instruction.
@Suite struct RotationStormTests {
  private static let rotateBytes = 3000

  /// Publishes until it is killed, by a thread of its own at some moment.
  private static func publishUntilKilled(
    in path: String, as writer: Int, round: Int, keeping count: UInt64?
  ) throws {
    let rules = count.map { RetentionRules(standard: RetentionPolicy(count: $0)) }
    let bus = try FileBus(
      directory: BusDirectory(opening: path),
      options: FileBusOptions(retention: rules, rotateBytes: rotateBytes))
    let topics = [try Topic("t"), try Topic("u")]
    let message = Message(type: "x", sender: "w\(writer)", payload: try RawJSON("\(round)"))
    var random = SeededGenerator(state: UInt64(round * 8 + writer))
    let patience = UInt32.random(in: 2000..<60_000, using: &random)
    Processes.onThreads(2) { thread in
      if thread == 0 {
        // Of work, in microseconds: a loaded machine would let it do nothing in a short time.
        let end = clock() + Int(patience)
        while clock() < end { usleep(200) }
        kill(getpid(), SIGKILL)
      }
      var random = SeededGenerator(state: UInt64(round * 8 + writer))
      while true {
        let batch = [Message](repeating: message, count: Int.random(in: 1...4, using: &random))
        let topic = topics[Int.random(in: 0...1, using: &random)]
        guard (try? bus.publish(batch, to: topic, wait: .blocking)) == batch.count else { _exit(3) }
        if count != nil, Int.random(in: 0..<50, using: &random) == 0 {
          _ = try? bus.enforceRetention()
        }
      }
    }
  }

  private static func storm(in path: String, as writer: Int, keeping count: UInt64?) async {
    for round in 0..<12 {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [
          path = path as String, writer = writer as Int, round = round as Int,
          count = count as UInt64?
        ] in
        try RotationStormTests.publishUntilKilled(
          in: path, as: writer, round: round, keeping: count)
      }
    }
  }

  /// Keeps what a subscription delivers.
  private final class Ear: Sendable {
    let isDone = Atomic<Bool>(false)
    private let subscription: Subscription
    private let heard = Lock<[String: [MessageID]]>([:])

    init(_ subscription: Subscription) { self.subscription = subscription }

    func ids(of topic: String) -> [MessageID] { heard.withLock { $0[topic] ?? [] } }

    func listen() throws {
      while let delivery = try subscription.poll() {
        guard case .envelope(let envelope) = delivery else { continue }
        heard.withLock { $0[envelope.topic.name, default: []].append(envelope.id) }
      }
    }
  }

  /// Four writers, one after another each, and somebody who listens from the beginning.
  private func storm(in path: String, _ ear: Ear, keeping count: UInt64? = nil) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !ear.isDone.load(ordering: .acquiring) {
          try ear.listen()
          try await Task.sleep(for: .milliseconds(1))
        }
        try ear.listen()
      }
      group.addTask {
        await withTaskGroup(of: Void.self) { writers in
          for writer in 0..<4 {
            writers.addTask { await Self.storm(in: path, as: writer, keeping: count) }
          }
        }
        ear.isDone.store(true, ordering: .releasing)
      }
      try await group.waitForAll()
    }
  }

  @Test func everyMessageOnceAndInOrder() async throws {
    let scratch = Scratch()
    let path = try scratch.directory().path
    let bus = try scratch.bus()
    let warnings = WarningList()
    let live = try bus.subscribe("", options: warnings.options(.beginning))
    let ear = Ear(live)
    try await storm(in: path, ear)
    #expect(live.losses == SubscriptionLosses() && warnings.list.isEmpty)
    for topic in ["t", "u"] {
      // Nobody repaired what the last one left behind.
      try bus.say("0", on: topic)
      var next: [String: UInt64] = [:]
      let envelopes = try scratch.envelopes(topic).dropLast()
      for envelope in envelopes {
        let stream = "\(envelope.incarnation) \(envelope.sender)"
        #expect(envelope.seq == next[stream, default: 1])
        next[stream] = envelope.seq + 1
      }
      #expect(Set(envelopes.map(\.id)).count == envelopes.count && envelopes.count > 100)
      #expect(ear.ids(of: topic) == envelopes.map(\.id))
      let numbers = scratch.numbers(topic)
      #expect(numbers.count > 5 && numbers == Array(1...numbers.count))
    }
  }

  /// The same while each writer removes old files, too: what is left is the end of what was said,
  /// and what was not heard was accounted for.
  @Test func removalLeavesTheLastMessages() async throws {
    let scratch = Scratch()
    let path = try scratch.directory().path
    let bus = try scratch.bus()
    let warnings = WarningList()
    let live = try bus.subscribe("", options: warnings.options(.beginning))
    let ear = Ear(live)
    try await storm(in: path, ear, keeping: 300)
    for topic in ["t", "u"] {
      try bus.say("0", on: topic)
      let left = try scratch.envelopes(topic, through: 100_000).dropLast()
      #expect(left.count >= 300)
      var next: [String: UInt64] = [:]
      for envelope in left {
        let stream = "\(envelope.incarnation) \(envelope.sender)"
        #expect(envelope.seq == next[stream, default: envelope.seq])
        next[stream] = envelope.seq + 1
      }
      let heard = ear.ids(of: topic)
      #expect(Set(heard).count == heard.count && heard.count >= left.count)
      #expect(Array(heard.suffix(left.count)) == left.map(\.id))
      #expect(Disk.size(scratch.file(topic, 1)) == -1)
    }
    for warning in warnings.list {
      switch warning {
      case .filesRemoved, .messagesRemoved: break
      default: Issue.record("\(warning)")
      }
    }
  }
}
