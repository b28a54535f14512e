import ConclaveBus
import Glibc

/// What must be true of the messages that were read, in whatever way.
struct StormCheck {
  private(set) var messages = 0
  private(set) var faults: [String] = []
  private var ids: Set<MessageID> = []
  private var last: [String: UInt64] = [:]
  private var lastPosition: UInt64?
  /// "sender number" of each message.
  private(set) var seen: Set<String> = []
  /// The messages and their places, as they came.
  private(set) var order: [MessageID] = []
  private(set) var positions: [UInt64] = []
  private let isWhole: Bool
  private let beginsNow: Bool

  /// - Parameters:
  ///   - isWhole: whether it begins with the first message of all; otherwise any number may be the
  ///     first of a stream.
  ///   - beginsNow: whether it begins with what comes now. A publisher that loses the processor
  ///     just after a message was published, and before that is in the publisher's list, has the
  ///     message be new to a subscription that begins then, which may miss it later: one number
  ///     before the stream's first is let pass here. Real losses show in the runs.
  init(isWhole: Bool = true, beginsNow: Bool = false) {
    self.isWhole = isWhole
    self.beginsNow = beginsNow
  }

  mutating func take(_ delivery: Delivery) {
    switch delivery {
    case .gap(let gap):
      let isKnown = last["\(gap.incarnation) \(gap.sender) \(gap.topic)"] != nil
      if beginsNow, !isKnown, gap.count == 1 { return }
      fault("a gap: \(gap)")
    case .envelope(let envelope): take(envelope)
    }
  }

  private mutating func take(_ envelope: Envelope) {
    messages += 1
    order.append(envelope.id)
    if !ids.insert(envelope.id).inserted { fault("\(envelope.id) comes twice") }
    let stream = "\(envelope.incarnation) \(envelope.sender) \(envelope.topic)"
    let expected = last[stream].map { $0 + 1 } ?? (isWhole ? 1 : envelope.seq)
    if envelope.seq != expected {
      fault("\(stream): \(envelope.seq) where \(expected) should be")
    }
    last[stream] = envelope.seq
    if let position = envelope.position, let before = lastPosition, position <= before {
      fault("\(envelope.id) is at \(position), behind \(before)")
    }
    lastPosition = envelope.position ?? lastPosition
    if let position = envelope.position {
      positions.append(position)
    } else {
      fault("\(envelope.id) has no place")
    }
    if let number = StormCheck.number(envelope.payload) {
      seen.insert("\(envelope.sender) \(number)")
    } else {
      fault("\(envelope.id) has another payload than it was sent with")
    }
  }

  /// The number at the payload's beginning, if the rest is as it was.
  static func number(_ payload: RawJSON) -> Int? {
    let head = Array(#"{"n":"#.utf8)
    guard payload.bytes.starts(with: head), payload.bytes.suffix(2) == Array("\"}".utf8) else {
      return nil
    }
    let digits = payload.bytes.dropFirst(head.count).prefix { $0 != UInt8(ascii: ",") }
    let rest = payload.bytes.dropFirst(head.count + digits.count + 6).dropLast(2)
    guard isPadding(rest) else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }

  /// Whether there are only x. By memory comparison: there are gigabytes of them.
  private static func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let piece = rest.prefix(padding.count)
      let isSame = unsafe piece.withUnsafeBytes { bytes in
        unsafe padding.withUnsafeBytes { padding in
          guard let start = bytes.baseAddress, let same = padding.baseAddress else { return false }
          return unsafe memcmp(start, same, bytes.count) == 0
        }
      }
      if !isSame { return false }
      rest = rest.dropFirst(piece.count)
    }
    return true
  }

  private static let padding = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 17)

  mutating func fault(_ what: String) {
    if faults.count < 20 { faults.append(what) }
  }
}
