import CShim
import ConclaveBus
import Synchronization

/// Publisher processes to one subscriber process that iterates: `for try await`.
enum AsyncThroughput {
  struct Result {
    let messagesPerSecond: Double
    let faults: FaultCount
  }

  static func run(_ setting: Setting, publishers: Int, share: Int) throws -> Result {
    try Scratch.with { scratch in
      let subscriber = [IteratingWorker.name, "shm", scratch.path, "\(publishers * share)"]
      let publisher = [FloodingWorker.name, "shm", scratch.path, "\(share)"]
      let words = [subscriber] + Array(repeating: publisher, count: publishers)
      return try withChildren(words, setting.interruption) { children in
        let start = conclave_monotonic_ns()
        for child in children { try child.order() }
        let numbers = try children[0].result()
        guard numbers.count == 4 else { throw BenchmarkFailure("four numbers expected") }
        var faults = FaultCount()
        faults.add(lost: numbers[1], duplicated: numbers[2], outOfOrder: numbers[3])
        let seconds = Double(numbers[0] - min(numbers[0], start)) / 1e9
        return Result(messagesPerSecond: Double(publishers * share) / seconds, faults: faults)
      }
    }
  }
}

/// Publishes its share as fast as it can.
enum FloodingWorker: Worker {
  static let name = "flood"
  static let topic = "flood"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try words.bus(0)
    let count = try words.number(2)
    let publisher = try bus.publisher(topic: Topic(topic), sender: "flood", type: "b")
    let payload = try Payloads.json(bytes: 256)
    line.awaitStart()
    line.endWithParent()
    for _ in 0..<count { try publisher.publish(payload) }
    line.report(UInt64(count))
    // Until everybody has everything: the end of this process is the parent's to choose.
    while true { conclave_pace_until(conclave_monotonic_ns() + 1_000_000_000) }
  }
}

/// Iterates over the subscription until it has everything, and checks the numbers.
enum IteratingWorker: Worker {
  static let name = "iterate"
  /// Messages that do not come within this time never will.
  private static let patience = Duration.seconds(20)

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try words.bus(0)
    let total = UInt64(try words.number(2))
    let subscription = try bus.subscribe(
      FloodingWorker.topic, options: SubscriptionOptions(policy: .backPressure(timeout: nil)))
    line.awaitStart()
    Task.detached {
      do {
        let check = try await iterate(subscription, until: total)
        line.report(
          conclave_monotonic_ns(), total - min(total, check.received), check.duplicated,
          check.outOfOrder)
      } catch {
        say("\(error)")
        exitAtOnce(70)
      }
    }
    Task.detached {
      try await Task.sleep(for: patience)
      subscription.cancel()
    }
    // The end of the line ends this process.
    while line.awaitOrder() {}
  }

  private static func iterate(
    _ subscription: Subscription, until total: UInt64
  ) async throws -> NumberCheck {
    var check = NumberCheck()
    for try await delivery in subscription {
      if case .envelope(let envelope) = delivery { check.take(envelope) }
      if check.received >= total { break }
    }
    return check
  }
}

/// Checks that each process's messages come in order, each once.
struct NumberCheck {
  private(set) var received: UInt64 = 0
  private(set) var duplicated: UInt64 = 0
  private(set) var outOfOrder: UInt64 = 0
  private var last: [UInt32: UInt64] = [:]

  mutating func take(_ envelope: Envelope) {
    received += 1
    let expected = last[envelope.id.process, default: 0] + 1
    if envelope.seq < expected { duplicated += 1 }
    if envelope.seq > expected { outOfOrder += 1 }
    last[envelope.id.process] = max(envelope.seq, expected - 1)
  }
}
