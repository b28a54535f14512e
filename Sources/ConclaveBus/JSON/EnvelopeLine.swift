import Glibc

/// Where an envelope's parts lie in the line of JSON that was parsed.
///
/// Keys may come in any order; keys that no envelope has are skipped. A key that comes twice is an
/// error: readers that took the first and readers that took the last would see different messages.
struct EnvelopeLine {
  var id = MessageID(process: 0, counter: 0)
  var seq: UInt64 = 0
  var timestamp = Timestamp(nanosecondsSinceEpoch: 0)
  var incarnation: UInt64 = 0
  var position: UInt64?
  /// Insides of the strings, still with escape sequences when ``escapedKeys`` says so.
  var sender = 0..<0
  var topic = 0..<0
  var type = 0..<0
  var key = 0..<0
  /// The value as it stands in the line: without the white space around it, or with it where
  /// ``newlines`` says that the writer was exact.
  var payload = 0..<0
  /// The array of the places in the payload that were line feeds, where there is one.
  var newlines: Range<Int>?
  /// Which of the strings above hold escape sequences.
  var escapedKeys: KeySet = []
  /// Which keys the line has.
  var keys: KeySet = []
  /// The payload with all that lies between its colon and what follows.
  var paddedPayload = 0..<0

  /// The keys that a line may have once.
  struct KeySet: OptionSet {
    let rawValue: UInt16
    static let id = KeySet(rawValue: 1)
    static let seq = KeySet(rawValue: 2)
    static let timestamp = KeySet(rawValue: 4)
    static let sender = KeySet(rawValue: 8)
    static let topic = KeySet(rawValue: 16)
    static let type = KeySet(rawValue: 32)
    static let payload = KeySet(rawValue: 64)
    static let incarnation = KeySet(rawValue: 128)
    static let position = KeySet(rawValue: 256)
    static let newlines = KeySet(rawValue: 512)
    static let idempotencyKey = KeySet(rawValue: 1024)
    static let required = KeySet(rawValue: 127)
  }

  static let keyNames: [(KeySet, StaticString)] = [
    (.id, "id"), (.seq, "seq"), (.timestamp, "timestamp"), (.sender, "sender"), (.topic, "topic"),
    (.type, "type"), (.payload, "payload"), (.incarnation, "incarnation"), (.position, "position"),
    (.newlines, "payloadNewlines"), (.idempotencyKey, "idempotencyKey"),
  ]

  /// No two keys of an envelope have the same length, so one comparison decides.
  static func key(named name: UnsafeRawBufferPointer) -> KeySet {
    let candidate: (KeySet, StaticString) =
      switch name.count {
      case 2: (.id, "id")
      case 3: (.seq, "seq")
      case 4: (.type, "type")
      case 5: (.topic, "topic")
      case 6: (.sender, "sender")
      case 7: (.payload, "payload")
      case 8: (.position, "position")
      case 9: (.timestamp, "timestamp")
      case 11: (.incarnation, "incarnation")
      case 14: (.idempotencyKey, "idempotencyKey")
      case 15: (.newlines, "payloadNewlines")
      default: ([], "")
      }
    guard !candidate.0.isEmpty, let base = name.baseAddress,
      unsafe memcmp(base, candidate.1.utf8Start, name.count) == 0
    else { return [] }
    return candidate.0
  }
}

/// Why a line is not an envelope.
struct EnvelopeFlaw: Error, Hashable, Sendable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  init(_ flaw: JSONFlaw) { description = "not JSON: \(flaw)" }
}
