import CShim
import ConclaveBus
import Glibc
import Synchronization

/// What subscribers cost that have nothing to do.
enum IdleBenchmark: Benchmark {
  static let name = "idle"
  static let question = "processor time of 4 subscriber processes that sleep"
  private static let subscribers = 4

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let seconds = setting.size(10, quick: 0.5)
    try Scratch.with { quiet in
      try Scratch.with { published in
        // Alive and silent: somebody has to see it if it dies in the middle of publishing.
        let bus = try SharedMemoryBus(directory: published.directory)
        defer { bus.close() }
        let publisher = try CostCases.publisher(bus)
        try publisher.publish(Payloads.json(bytes: CostCases.payloadBytes))
        let cases = [
          Sleepers(name: "shm, no publisher", transport: "shm", scratch: quiet),
          Sleepers(name: "shm, a silent publisher", transport: "shm", scratch: published),
          Sleepers(name: "file", transport: "file", scratch: quiet),
        ]
        // All asleep at the same time: sleepers do not disturb each other.
        for (sleepers, used) in zip(cases, try microseconds(setting, cases, seconds)) {
          let time = "processor time in \(decimal(seconds, digits: 1)) s"
          record.add("\(sleepers.name): \(time)", used / 1e3, "ms")
          record.add("\(sleepers.name): share of one core", used / (seconds * 1e4), "%")
        }
        withExtendedLifetime(publisher) {}
      }
    }
  }

  private struct Sleepers {
    let name: String
    let transport: String
    let scratch: Scratch
  }

  /// The processor time of all subscribers of each case.
  private static func microseconds(
    _ setting: Setting, _ cases: [Sleepers], _ seconds: Double
  ) throws -> [Double] {
    let words = cases.flatMap { sleepers in
      Array(
        repeating: [SleepingWorker.name, sleepers.transport, sleepers.scratch.path],
        count: subscribers)
    }
    return try withChildren(words, setting.interruption) { children in
      for child in children { try child.order() }
      try setting.interruption.wait(milliseconds: Int32(seconds * 1000))
      for child in children { try child.order() }
      let used = try children.map { child in Double(try child.result().first ?? 0) }
      return cases.indices.map { index in
        used[index * subscribers..<(index + 1) * subscribers].reduce(0, +)
      }
    }
  }
}

/// Sleeps in a subscription from one order to the next, and says what that took.
enum SleepingWorker: Worker {
  static let name = "sleep"
  private static let subscription = Mutex<Subscription?>(nil)

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try words.bus(0)
    let subscribed = try bus.subscribe()
    subscription.withLock { $0 = subscribed }
    let failure = conclave_thread_start { SleepingWorker.sleep() }
    guard failure == 0 else { throw BenchmarkFailure("no thread: \(systemText(failure))") }
    // Let the thread fall asleep: starting it is not idleness.
    conclave_pace_until(conclave_monotonic_ns() + 50_000_000)
    line.awaitStart()
    let before = ownMicroseconds()
    guard line.awaitOrder() else { return }
    line.report(ownMicroseconds() - before)
    _ = line.awaitOrder()
    exitAtOnce(EXIT_SUCCESS)
  }

  private static func sleep() {
    guard let subscription = subscription.withLock({ $0 }) else { return }
    do {
      while try subscription.receive() != nil {}
    } catch { say("\(name): \(error)") }
  }

  /// User and system time of this process.
  private static func ownMicroseconds() -> UInt64 {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    return UInt64(seconds * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
  }
}
