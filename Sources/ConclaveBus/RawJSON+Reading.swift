/// Looking into a payload. Whatever the bytes are, the answer is a value or nil, never a trap.
extension RawJSON {
  /// The value of `key`, if this is an object that has the key exactly once.
  ///
  /// A key that comes twice counts as missing: readers that took the first and readers that took
  /// the last would see different things. O(n).
  public func member(_ key: String) -> RawJSON? {
    unsafe bytes.withUnsafeBytes { buffer in
      var scanner = unsafe JSONScanner(unsafe: buffer)
      guard let range = try? scanner.onlyMember(Array(key.utf8)) else { return nil }
      return RawJSON(validated: unsafe Array(scanner.slice(range)))
    }
  }

  /// The members of an object, in their order, with keys that come twice twice; nil for anything
  /// else. O(n).
  package var members: [(key: String, value: RawJSON)]? {
    unsafe bytes.withUnsafeBytes { buffer in
      var scanner = unsafe JSONScanner(unsafe: buffer)
      var found: [(key: String, value: RawJSON)] = []
      let isObject = try? scanner.eachMember { (scanner, name, range) in
        found.append(
          (
            String(decoding: scanner.decoded(name), as: UTF8.self),
            RawJSON(validated: unsafe Array(scanner.slice(range)))
          ))
      }
      return isObject == true ? found : nil
    }
  }

  /// The elements of an array; nil for anything else. O(n).
  package var elements: [RawJSON]? {
    unsafe bytes.withUnsafeBytes { buffer in
      var scanner = unsafe JSONScanner(unsafe: buffer)
      var found: [RawJSON] = []
      let isArray = try? scanner.eachElement { (scanner, range) in
        found.append(RawJSON(validated: unsafe Array(scanner.slice(range))))
      }
      return isArray == true ? found : nil
    }
  }

  /// The text, if this is a string; an escaped surrogate without its other half becomes U+FFFD.
  /// O(n).
  public var string: String? {
    unsafe bytes.withUnsafeBytes { buffer in
      var scanner = unsafe JSONScanner(unsafe: buffer)
      scanner.skipWhiteSpace()
      guard scanner.current == UInt8(ascii: "\""), let (content, _) = try? scanner.string() else {
        return nil
      }
      return String(decoding: scanner.decoded(content), as: UTF8.self)
    }
  }

  /// The truth value, if this is one. O(n).
  public var boolean: Bool? {
    switch bytes.filter({ ![0x20, 0x0A, 0x0D, 0x09].contains($0) }) {
    case Array("true".utf8): true
    case Array("false".utf8): false
    default: nil
    }
  }
}

extension JSONScanner {
  /// What the inside of a string stands for.
  fileprivate func decoded(_ content: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    JSONString.appendDecoded(unsafe Array(slice(content)), to: &bytes)
    return bytes
  }

  /// Where the value of `key` lies, without the white space around it; nil when the key is missing
  /// or there twice, or the value is no object.
  fileprivate mutating func onlyMember(_ key: [UInt8]) throws(JSONFlaw) -> Range<Int>? {
    var found: [Range<Int>] = []
    let isObject = try eachMember { (scanner, name, range) in
      if scanner.decoded(name) == key { found.append(range) }
    }
    return isObject && found.count == 1 ? found[0] : nil
  }

  /// Calls `body` with where each key and its value lie; false when this is no object.
  fileprivate mutating func eachMember(
    _ body: (JSONScanner, Range<Int>, Range<Int>) -> Void
  ) throws(JSONFlaw) -> Bool {
    skipWhiteSpace()
    guard skip(UInt8(ascii: "{")) else { return false }
    skipWhiteSpace()
    if skip(UInt8(ascii: "}")) { return true }
    repeat {
      skipWhiteSpace()
      guard current == UInt8(ascii: "\"") else { throw flaw(.missingKey) }
      let name = try string().content
      skipWhiteSpace()
      guard skip(UInt8(ascii: ":")) else { throw flaw(.missingColon) }
      body(self, name, try nextValue())
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "}")) else { throw flaw(.missingCommaOrBrace) }
    return true
  }

  /// Calls `body` with where each element lies; false when this is no array.
  fileprivate mutating func eachElement(
    _ body: (JSONScanner, Range<Int>) -> Void
  ) throws(JSONFlaw) -> Bool {
    skipWhiteSpace()
    guard skip(UInt8(ascii: "[")) else { return false }
    skipWhiteSpace()
    if skip(UInt8(ascii: "]")) { return true }
    repeat { body(self, try nextValue()) } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "]")) else { throw flaw(.missingCommaOrBracket) }
    return true
  }

  /// Where a value lies, without the white space around it, which is skipped.
  private mutating func nextValue() throws(JSONFlaw) -> Range<Int> {
    skipWhiteSpace()
    let start = position
    try skipValue()
    let range = start..<position
    skipWhiteSpace()
    return range
  }
}
