import ConclaveBus

/// What must be true of the messages that were read, in whatever way.
struct StormCheck {
  private(set) var messages = 0
  private(set) var faults: [String] = []
  private var ids: Set<MessageID> = []
  private var last: [String: UInt64] = [:]
  private var lastPosition: UInt64?
  /// "sender number" of each message.
  private(set) var seen: Set<String> = []

  mutating func take(_ delivery: Delivery) {
    switch delivery {
    case .gap(let gap): fault("a gap: \(gap)")
    case .envelope(let envelope): take(envelope)
    }
  }

  private mutating func take(_ envelope: Envelope) {
    messages += 1
    if !ids.insert(envelope.id).inserted { fault("\(envelope.id) comes twice") }
    let stream = "\(envelope.incarnation) \(envelope.sender) \(envelope.topic)"
    let expected = last[stream, default: 0] + 1
    if envelope.seq != expected {
      fault("\(stream): \(envelope.seq) where \(expected) should be")
    }
    last[stream] = envelope.seq
    if let position = envelope.position, let before = lastPosition, position <= before {
      fault("\(envelope.id) is at \(position), behind \(before)")
    }
    lastPosition = envelope.position ?? lastPosition
    if let number = StormCheck.number(envelope.payload) {
      seen.insert("\(envelope.sender) \(number)")
    } else {
      fault("\(envelope.id) has another payload than it was sent with")
    }
  }

  /// The number at the payload's beginning, if the rest is as it was.
  private static func number(_ payload: RawJSON) -> Int? {
    let head = Array(#"{"n":"#.utf8)
    guard payload.bytes.starts(with: head), payload.bytes.suffix(2) == Array("\"}".utf8) else {
      return nil
    }
    let digits = payload.bytes.dropFirst(head.count).prefix { $0 != UInt8(ascii: ",") }
    let rest = payload.bytes.dropFirst(head.count + digits.count + 6).dropLast(2)
    guard rest.allSatisfy({ $0 == UInt8(ascii: "x") }) else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }

  mutating func fault(_ what: String) {
    if faults.count < 20 { faults.append(what) }
  }
}
