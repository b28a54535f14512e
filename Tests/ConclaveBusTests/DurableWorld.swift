import BusTesting
import ConclaveBus

extension DurableSubscription {
  /// What is delivered until there are `count`, or nothing comes for `patience`.
  func take(
    _ count: Int, patience: Duration = hangLimit
  ) throws(BusError) -> [DurableDelivery] {
    var found: [DurableDelivery] = []
    while found.count < count, let delivery = try receive(timeout: patience) {
      found.append(delivery)
    }
    return found
  }
}

extension DurableDelivery {
  /// The number that it was published with.
  var value: Int { Int(envelope.payload.description) ?? -1 }
}

extension MirroredBus {
  /// Publishes numbers, the last of them so that all are in the files.
  func say(_ numbers: Range<Int>, on topic: String = "t") throws {
    for number in numbers {
      try publish(
        Message(type: "n", sender: "s", payload: RawJSON("\(number)")), to: Topic(topic),
        durability: number == numbers.upperBound - 1 ? .mirrored : .ring)
    }
  }
}
