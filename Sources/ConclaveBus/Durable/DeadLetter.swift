/// A message that is given up: what is published in its place.
struct DeadLetter: Sendable {
  var name: DurableName
  var position: UInt64
  var attempts: Int
  var reason: String
  /// nil when it is not in the log any more.
  var envelope: Envelope?

  static let type = "dead-letter"

  var id: MessageID? { envelope?.id }

  /// - Parameter isWhole: with the envelope; without it where it is too large with what surrounds
  ///   it.
  func message(isWhole: Bool) -> Message {
    var json = Array("{\"durable\":\"\(name)\",\"reason\":".utf8)
    JSONString.append(reason, to: &json)
    json += Array(",\"attempts\":\(attempts),\"position\":\(position)".utf8)
    if let id { json += Array(",\"id\":\"\(id)\"".utf8) }
    json += Array(",\"envelope\":".utf8)
    if isWhole, let envelope {
      envelope.appendJSON(to: &json)
    } else {
      json += Array("null".utf8)
    }
    json.append(UInt8(ascii: "}"))
    return Message(
      type: DeadLetter.type, sender: name.text, payload: RawJSON(validated: json),
      idempotencyKey: key)
  }

  /// Who dies between the letter and its acknowledgement has a successor who writes it again, with
  /// the same key, and so it is there once.
  private var key: IdempotencyKey? {
    try? IdempotencyKey("\(position)-\(id?.description ?? "none")")
  }
}

extension MirroredBus {
  /// Publishes it; without the envelope when that makes it too large, or when the policy of the bus
  /// says who may have messages of its topic: who may not would find it among the dead letters.
  ///
  /// - Returns: whether it was published; false only with ``PublishWait/never``.
  func publish(_ letter: DeadLetter, wait: PublishWait) throws(BusError) -> Bool {
    // What blocks anyhow must be let.
    let wait = options.durability == .ring ? wait : .blocking
    do throws(PublishFailure) {
      do throws(PublishFailure) {
        let isOpen = letter.envelope.map { !shared.permit.isReserved($0.topic) } ?? true
        return try publish(
          [letter.message(isWhole: isOpen)], to: letter.name.deadLetters, wait: wait) == 1
      } catch {
        guard error.cause.code == .messageTooLarge else { throw error }
        return try publish(
          [letter.message(isWhole: false)], to: letter.name.deadLetters, wait: wait) == 1
      }
    } catch {
      // It is there, which must not be repeated.
      if error.published == 1 { return true }
      throw error.cause
    }
  }
}
