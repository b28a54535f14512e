import ConclaveBus
import Glibc

/// Publishes until it is killed, and notes when each message was acknowledged.
enum CutWorker {
  static let word = "cut-worker"

  struct Acknowledgement {
    /// "sender number".
    var name: String
    var isSynced: Bool
    /// By ``now()``.
    var time: UInt64
  }

  /// Words: the bus directory, the file of acknowledgements, the worker's name, the world.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 4, let world = CutWorld(rawValue: words[3]) else { return 2 }
    do { try publish(words[0], acknowledgements: words[1], words[2], world) } catch {
      print("\(words[2]): \(error)")
      return 70
    }
    return 0
  }

  private static func publish(
    _ path: String, acknowledgements: String, _ name: String, _ world: CutWorld
  ) throws {
    let file = unsafe open(acknowledgements, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    var options = MirrorOptions()
    options.syncInterval = PowerCut.interval
    let bus = try MirroredBus(directory: BusDirectory(opening: path), options: options)
    var number = 0
    while getppid() != 1 {
      number += 1
      let durability = world.durability(of: number)
      let payload = try RawJSON("{\"n\":\(number),\"x\":\"xxxxxxxx\"}")
      try bus.publish(
        Message(type: "cut", sender: name, payload: payload),
        to: Topic(StormBus.topics[number % 3]), durability: durability)
      let line = Array("\(name) \(number) \(durability.rawValue) \(now())\n".utf8)
      _ = unsafe write(file, line, line.count)
      usleep(200)
    }
  }

  static func acknowledgements(_ text: String) -> [Acknowledgement] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 4, let time = UInt64(words[3]) else { return nil }
      return Acknowledgement(
        name: "\(words[0]) \(words[1])", isSynced: words[2] == Durability.synced.rawValue,
        time: time)
    }
  }

  /// Whether a worker, which is told of a message several times in a millisecond, was not for so
  /// long that its mirror may have had no time either.
  static func wasStarved(_ worker: String, _ lines: [Acknowledgement], by now: UInt64) -> Bool {
    let times = lines.filter { $0.name.hasPrefix("\(worker) ") }.map(\.time) + [now]
    return zip(times, times.dropFirst()).contains { $1 - min($0, $1) > 500_000_000 }
  }

  /// Monotonic, in nanoseconds.
  static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
