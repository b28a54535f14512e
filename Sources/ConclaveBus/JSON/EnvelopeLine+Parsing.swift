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
      case .sender, .topic, .type, .id, .timestamp, .idempotencyKey:
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
    case .idempotencyKey: self.key = range
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
