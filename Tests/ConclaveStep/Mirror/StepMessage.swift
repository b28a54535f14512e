import ConclaveBus

/// A message whose bytes tell whose it is.
struct StepMessage: Hashable {
  let sender: String
  let number: Int

  /// Where the senders' messages go, in turn.
  var topic: Topic { get throws(BusError) { try Topic(StepBus.topics[number % 2]) } }

  /// - Parameter bytes: about so long, and not the same for each.
  func message(_ bytes: Int) throws(BusError) -> Message {
    Message(type: "step", sender: sender, payload: try RawJSON(payload(bytes + number % 8 * 7)))
  }

  private func payload(_ bytes: Int) -> String {
    "{\"n\":\(number),\"of\":\"\(sender)\",\"x\":\"\(String(repeating: "x", count: bytes))\"}"
  }

  /// What is in a line of a file; nil: what nobody has published.
  init?(_ envelope: Envelope, of topic: String) {
    let text = envelope.payload.description
    let head = text.dropFirst(5).prefix { $0 != "," }
    guard let number = Int(head), envelope.topic.name == topic else { return nil }
    self.init(sender: envelope.sender, number: number)
    let padding = text.count - payload(0).count
    guard padding >= 0, text == payload(padding), envelope.topic.name == StepBus.topics[number % 2]
    else { return nil }
  }

  init(sender: String, number: Int) {
    self.sender = sender
    self.number = number
  }
}

extension MirroredBus {
  func publish(_ step: StepMessage, bytes: Int, _ durability: Durability) throws(BusError) {
    try publish(step.message(bytes), to: step.topic, durability: durability)
  }
}
