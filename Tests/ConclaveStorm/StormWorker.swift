import BusTesting
import ConclaveBus

/// Publishes until it is killed or asked to end, and notes in a file what was acknowledged.
enum StormWorker {
  static let word = "storm-worker"

  /// Words: the bus directory, the file, the worker's name, the seed, the largest payload.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 5, let seed = UInt64(words[3]), let largest = Int(words[4]) else {
      return 2
    }
    Farewell.listen()
    do {
      try publish(words[0], acknowledgements: words[1], words[2], seed, largest)
    } catch {
      Report.fault("\(words[2]): \(error)")
      return 70
    }
    return 0
  }

  private static func publish(
    _ path: String, acknowledgements: String, _ name: String, _ seed: UInt64, _ largest: Int
  ) throws {
    var random = SplitMix64(seed: seed)
    let file = RecordFile(acknowledgements)
    let bus = try StormBus.open(path)
    defer { bus.close() }
    var number = 0
    while !Farewell.isDue {
      number += 1
      let draw = Int(random.next() % 100)
      let durability: Durability = draw < 40 ? .ring : draw < 97 ? .mirrored : .synced
      let topic = StormBus.topics[Int(random.next() % UInt64(StormBus.topics.count))]
      // Most are small, some are large.
      let size = 200 + Int(random.next() % UInt64(draw % 10 == 0 ? largest : 1000))
      let padding = String(repeating: "x", count: size)
      let payload = try RawJSON("{\"n\":\(number),\"x\":\"\(padding)\"}")
      try bus.publish(
        Message(type: "storm", sender: name, payload: payload), to: Topic(topic),
        durability: durability)
      guard durability > .ring else { continue }
      file.append("\(name) \(number)")
    }
  }
}
