import ConclaveBus
import Glibc

/// Publishes a few messages of all kinds, each acknowledged, and ends in order.
enum SweepWorker {
  static let word = "sweep-worker"

  /// Words: the bus directory, the file of acknowledgements, the worker's name.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 3 else { return 2 }
    do {
      try publish(words[0], acknowledgements: words[1], words[2])
      return 0
    } catch {
      print("\(words[2]): \(error)")
      return 70
    }
  }

  private static func publish(
    _ path: String, acknowledgements: String, _ name: String
  ) throws {
    let file = unsafe open(acknowledgements, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let bus = try StormBus.open(path)
    for number in 1...9 {
      let size = number % 4 == 0 ? 70_000 : number * 50
      let padding = String(repeating: "x", count: size)
      let payload = try RawJSON("{\"n\":\(number),\"x\":\"\(padding)\"}")
      let durability: Durability = number % 3 == 0 ? .synced : number % 3 == 1 ? .mirrored : .ring
      let message = Message(type: "sweep", sender: name, payload: payload)
      let isPromised = try publish(message, on: bus, StormBus.topics[number % 2], durability)
      guard isPromised, durability > .ring else { continue }
      let line = Array("\(name) \(number)\n".utf8)
      _ = unsafe write(file, line, line.count)
    }
    bus.close()
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
