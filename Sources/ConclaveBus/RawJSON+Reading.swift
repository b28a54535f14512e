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
    skipWhiteSpace()
    guard skip(UInt8(ascii: "{")) else { return nil }
    skipWhiteSpace()
    if skip(UInt8(ascii: "}")) { return nil }
    var found: Range<Int>?
    repeat {
      skipWhiteSpace()
      guard current == UInt8(ascii: "\"") else { throw flaw(.missingKey) }
      let name = try string().content
      skipWhiteSpace()
      guard skip(UInt8(ascii: ":")) else { throw flaw(.missingColon) }
      skipWhiteSpace()
      let start = position
      try skipValue()
      if decoded(name) == key {
        guard found == nil else { return nil }
        found = start..<position
      }
      skipWhiteSpace()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "}")) else { throw flaw(.missingCommaOrBrace) }
    return found
  }
}
