import ConclaveBus
import Glibc

/// Publishes a few messages of all kinds, notes what it asks for and what it is told, and ends in
/// order.
enum SweepWorker {
  static let word = "sweep-worker"
  static let messages = 9

  /// Words: the bus directory, the file of records, the worker's name, the failure policy, and
  /// perhaps how long a file may become until the mirror has failed for a while: a write that goes
  /// beyond it ends there.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 4 || words.count == 5 else { return 2 }
    do {
      let limit = words.count == 5 ? UInt64(words[4]) : nil
      let bus = try StormBus.open(
        words[0], whenFailing: words[3] == "fail" ? .fail : .block,
        onFailing: limit == nil ? nil : liftLimitSoon)
      try publish(bus, RecordFile(words[1]), words[2]) {
        guard let limit else { return }
        signal(SIGXFSZ, SIG_IGN)
        setLimit(limit)
      }
      bus.close()
      return 0
    } catch {
      print("\(words[2]): \(error)")
      return 70
    }
  }

  @Sendable private static func liftLimitSoon() {
    Task.detached {
      try? await Task.sleep(for: .milliseconds(40))
      setLimit(.max)
    }
  }

  private static func setLimit(_ bytes: UInt64) {
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t.max)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
  }

  /// - Parameter afterFirst: called when the segment, which is a file as well, is complete.
  private static func publish(
    _ bus: MirroredBus, _ records: RecordFile, _ name: String, afterFirst: () -> Void
  ) throws {
    for number in 1...messages {
      let size = number % 4 == 0 ? 70_000 : number * 50
      let padding = String(repeating: "x", count: size)
      let payload = try RawJSON("{\"n\":\(number),\"x\":\"\(padding)\"}")
      let durability: Durability = number % 3 == 0 ? .synced : number % 3 == 1 ? .mirrored : .ring
      let message = Message(type: "sweep", sender: name, payload: payload)
      if durability == .synced { records.append("asks \(name) \(number) \(durability)") }
      let topic = try Topic(topic(of: number))
      let isPromised = try publish(message, on: bus, topic, durability)
      if number == 1 { afterFirst() }
      // What is noted is a system call, at which it is disturbed as well: no more than must be.
      guard durability > .ring || !isPromised else { continue }
      records.append("\(isPromised ? "done" : "told") \(name) \(number) \(durability)")
    }
  }

  private static func topic(of number: Int) -> String { StormBus.topics[number % 2] }

  /// How the name of the file ends that has the message with this number, as strace shows it.
  static func file(of number: Substring) -> String {
    "/\(topic(of: Int(number) ?? 0)).jsonl>"
  }

  /// - Returns: false when it was told that the promise is not kept.
  private static func publish(
    _ message: Message, on bus: MirroredBus, _ topic: Topic, _ durability: Durability
  ) throws(BusError) -> Bool {
    do throws(BusError) {
      try bus.publish(message, to: topic, durability: durability)
      return true
    } catch {
      guard error.code == .notDurable else { throw error }
      return false
    }
  }
}
