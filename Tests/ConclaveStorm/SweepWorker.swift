import ConclaveBus
import Glibc

/// Publishes a few messages of all kinds, each acknowledged, and ends in order.
enum SweepWorker {
  static let word = "sweep-worker"

  /// Words: the bus directory, the file of acknowledgements, the worker's name, and perhaps how
  /// long a file may become for a while: a write that goes beyond it is cut short there.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 3 || words.count == 4 else { return 2 }
    do {
      let limit = words.count == 4 ? UInt64(words[3]) : nil
      try publish(words[0], acknowledgements: words[1], words[2], limit)
      return 0
    } catch {
      print("\(words[2]): \(error)")
      return 70
    }
  }

  private static func limitFiles(to bytes: UInt64) {
    signal(SIGXFSZ, SIG_IGN)
    setLimit(bytes)
    Task.detached {
      try? await Task.sleep(for: .milliseconds(40))
      setLimit(.max)
    }
  }

  private static func setLimit(_ bytes: UInt64) {
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t.max)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
  }

  private static func publish(
    _ path: String, acknowledgements: String, _ name: String, _ limit: UInt64?
  ) throws {
    let file = unsafe open(acknowledgements, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let bus = try StormBus.open(path)
    // The limit is for this file as well, and nobody is killed then.
    var kept: [UInt8] = []
    for number in 1...9 {
      let size = number % 4 == 0 ? 70_000 : number * 50
      let padding = String(repeating: "x", count: size)
      let payload = try RawJSON("{\"n\":\(number),\"x\":\"\(padding)\"}")
      let durability: Durability = number % 3 == 0 ? .synced : number % 3 == 1 ? .mirrored : .ring
      let message = Message(type: "sweep", sender: name, payload: payload)
      let isPromised = try publish(message, on: bus, StormBus.topics[number % 2], durability)
      // Now that the segment, which is a file as well, is complete.
      if number == 1, let limit { limitFiles(to: limit) }
      guard isPromised, durability > .ring else { continue }
      let line = Array("\(name) \(number)\n".utf8)
      if limit == nil { _ = unsafe write(file, line, line.count) } else { kept += line }
    }
    bus.close()
    guard limit != nil else { return }
    setLimit(.max)
    _ = unsafe write(file, kept, kept.count)
  }

  private static func publish(
    _ message: Message, on bus: MirroredBus, _ topic: String, _ durability: Durability
  ) throws(BusError) -> Bool {
    do throws(BusError) {
      try bus.publish(message, to: Topic(topic), durability: durability)
      return true
    } catch {
      guard error.code == .notDurable else { throw error }
      return false
    }
  }
}
