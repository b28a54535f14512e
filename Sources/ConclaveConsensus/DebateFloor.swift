import ConclaveBus
import ConclaveRunner

/// What one agent says to all of a debate.
struct DebateStatement: Hashable, Sendable {
  let agent: String
  /// 0 for a thesis.
  let round: Int
  let text: String
}

/// Where agents hear each other: the topic `consensus.SESSION.debate` of a bus, on which a thesis
/// is a `debate.finding` and a reply a `debate.rebuttal`, with the payload
/// `{"agent": ..., "round": ..., "text": ...}`.
struct DebateFloor {
  private let bus: any MessageBus
  private let topic: Topic
  private let subscription: Subscription
  /// Everything that was said, in the order in which it was heard.
  private(set) var heard: [DebateStatement] = []

  /// - Throws: `invalidTopic` for a session that is no part of a topic's name.
  init(_ bus: any MessageBus, session: String) throws(BusError) {
    self.bus = bus
    topic = try Topic("consensus.\(session).debate")
    subscription = try bus.subscribe(
      to: TopicPrefix(topic.name), options: SubscriptionOptions(capacity: 1024))
  }

  /// Says `statements`, and hears them and whatever others have said meanwhile.
  mutating func say(_ statements: [DebateStatement]) throws(BusError) {
    for statement in statements { try bus.publish(statement.message(), to: topic) }
    var missing = Set(statements)
    while !missing.isEmpty {
      guard let delivery = try subscription.receive(timeout: .seconds(10)) else {
        throw BusError(
          .system, "the debate does not hear what it says", hint: "look after the bus")
      }
      guard case .envelope(let envelope) = delivery, let statement = DebateStatement(envelope)
      else { continue }
      missing.remove(statement)
      heard.append(statement)
    }
  }
}

extension DebateStatement {
  func message() throws(BusError) -> Message {
    var payload = JSONObject()
    payload.add("agent", agent)
    payload.add("round", round)
    payload.add("text", text)
    return Message(
      type: round == 0 ? "debate.finding" : "debate.rebuttal", sender: agent,
      payload: try RawJSON(payload.text))
  }

  init?(_ envelope: Envelope) {
    guard let tree = try? JSONTree(envelope.payload.bytes), let agent = tree["agent"]?.text,
      let round = tree["round"]?.int, let text = tree["text"]?.text
    else { return nil }
    self.init(agent: agent, round: round, text: text)
  }
}
