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
  /// The value as it stands in the line: without the white space around it, or with it where
  /// ``newlines`` says that the writer was exact.
  var payload = 0..<0
  /// The array of the places in the payload that were line feeds, where there is one.
  var newlines: Range<Int>?
  /// Which of the strings above hold escape sequences.
  var escapedKeys: KeySet = []
  private var keys: KeySet = []
  /// The payload with all that lies between its colon and what follows.
  private var paddedPayload = 0..<0

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
    static let required = KeySet(rawValue: 127)
  }

  static let keyNames: [(KeySet, StaticString)] = [
    (.id, "id"), (.seq, "seq"), (.timestamp, "timestamp"), (.sender, "sender"), (.topic, "topic"),
    (.type, "type"), (.payload, "payload"), (.incarnation, "incarnation"), (.position, "position"),
    (.newlines, "payloadNewlines"),
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

extension EnvelopeLine {
  /// Parses `line`, which holds one envelope and white space at most around it.
  ///
  /// One pass, no allocation unless it fails. The topic and the names are not looked into, nor is
  /// ``newlines``; see ``EnvelopeDecoder``.
  init(parsing line: UnsafeRawBufferPointer) throws(EnvelopeFlaw) {
    var scanner = unsafe JSONScanner(unsafe: line)
    scanner.skipWhiteSpace()
    guard scanner.skip(UInt8(ascii: "{")) else { throw EnvelopeFlaw("not a JSON object") }
    do throws(JSONFlaw) {
      scanner.skipWhiteSpace()
      guard scanner.current == UInt8(ascii: "\"") else {
        throw scanner.flaw(.missingKey)
      }
    } catch { throw EnvelopeFlaw(error) }
    repeat {
      let key = try EnvelopeLine.readKey(&scanner)
      guard keys.isDisjoint(with: key) else {
        throw EnvelopeFlaw("the key \(EnvelopeLine.name(of: key)) comes twice")
      }
      keys.formUnion(key)
      let start = scanner.position
      scanner.skipWhiteSpace()
      guard try readValue(of: key, &scanner) else {
        throw EnvelopeFlaw("\(EnvelopeLine.name(of: key)) has a value that it cannot have")
      }
      scanner.skipWhiteSpace()
      if key == .payload { paddedPayload = start..<scanner.position }
    } while scanner.skip(UInt8(ascii: ","))
    try finish(&scanner)
  }

  static func name(of key: KeySet) -> String {
    keyNames.first { $0.0 == key }.map { "\"\($0.1)\"" } ?? "a key"
  }

  private mutating func finish(_ scanner: inout JSONScanner) throws(EnvelopeFlaw) {
    guard scanner.skip(UInt8(ascii: "}")) else {
      throw EnvelopeFlaw(scanner.flaw(.missingCommaOrBrace))
    }
    scanner.skipWhiteSpace()
    guard scanner.position == scanner.end else { throw EnvelopeFlaw(scanner.flaw(.trailingBytes)) }
    let missing = KeySet.required.subtracting(keys)
    if newlines != nil { payload = paddedPayload }
    guard missing.isEmpty else {
      let first = KeySet(rawValue: missing.rawValue & ~(missing.rawValue &- 1))
      throw EnvelopeFlaw("the key \(EnvelopeLine.name(of: first)) is missing")
    }
  }

  private static func readKey(_ scanner: inout JSONScanner) throws(EnvelopeFlaw) -> KeySet {
    do throws(JSONFlaw) {
      scanner.skipWhiteSpace()
      guard scanner.current == UInt8(ascii: "\"") else { throw scanner.flaw(.missingKey) }
      let (content, escaped) = try scanner.string()
      scanner.skipWhiteSpace()
      guard scanner.skip(UInt8(ascii: ":")) else { throw scanner.flaw(.missingColon) }
      guard escaped else { return unsafe key(named: scanner.slice(content)) }
      var decoded: [UInt8] = []
      JSONString.appendDecoded(unsafe Array(scanner.slice(content)), to: &decoded)
      return unsafe decoded.withUnsafeBytes { unsafe key(named: $0) }
    } catch { throw EnvelopeFlaw(error) }
  }

  /// - Returns: false when the value is JSON, but not what belongs to `key`.
  private mutating func readValue(
    of key: KeySet, _ scanner: inout JSONScanner
  ) throws(EnvelopeFlaw) -> Bool {
    do throws(JSONFlaw) {
      let start = scanner.position
      switch key {
      case .sender, .topic, .type, .id, .timestamp:
        guard scanner.current == UInt8(ascii: "\"") else { return false }
        let (content, escaped) = try scanner.string()
        if escaped { escapedKeys.formUnion(key) }
        return unsafe setText(key, content, scanner.slice(content))
      default:
        try scanner.skipValue()
        return unsafe setValue(
          key, start..<scanner.position, scanner.slice(start..<scanner.position))
      }
    } catch { throw EnvelopeFlaw(error) }
  }

  private mutating func setText(
    _ key: KeySet, _ range: Range<Int>, _ text: UnsafeRawBufferPointer
  ) -> Bool {
    switch key {
    case .sender: sender = range
    case .topic: topic = range
    case .type: type = range
    case .id:
      guard let parsed = unsafe MessageID(bytes: text) else { return false }
      id = parsed
    default:
      guard let parsed = unsafe Timestamp(rfc3339: text) else { return false }
      timestamp = parsed
    }
    return true
  }

  private mutating func setValue(
    _ key: KeySet, _ range: Range<Int>, _ text: UnsafeRawBufferPointer
  ) -> Bool {
    switch key {
    case .payload: payload = range
    case .newlines: newlines = range
    case .seq, .incarnation, .position:
      guard let number = unsafe UInt64(decimal: text) else { return false }
      switch key {
      case .seq:
        seq = number
        return number > 0
      case .incarnation: incarnation = number
      default: position = number
      }
    default: break
    }
    return true
  }
}

extension JSONScanner {
  /// Steps over the string at ``position``; returns its inside and whether that holds escapes.
  @inline(__always)
  mutating func string() throws(JSONFlaw) -> (content: Range<Int>, escaped: Bool) {
    let start = position &+ 1
    let escaped = try skipString()
    return (start..<position &- 1, escaped)
  }
}

extension UInt64 {
  /// A number in decimal digits and nothing else; nil when it is something else or too large.
  init?(decimal text: some Sequence<UInt8>) {
    var value: UInt64 = 0
    var count = 0
    for byte in text {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = scaled.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carried else { return nil }
      value = sum
      count &+= 1
    }
    guard count > 0 else { return nil }
    self = value
  }
}

extension MessageID {
  /// The id that `description` prints, from bytes.
  init?(bytes: UnsafeRawBufferPointer) {
    guard let dash = unsafe bytes.firstIndex(of: UInt8(ascii: "-")),
      let process = unsafe UInt64(decimal: bytes[..<dash]), process <= UInt64(UInt32.max),
      let counter = unsafe UInt64(decimal: bytes[(dash + 1)...])
    else { return nil }
    self.init(process: UInt32(process), counter: counter)
  }
}
