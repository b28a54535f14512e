extension RawJSON {
  /// Checks that `bytes` are exactly one JSON value (RFC 8259) in valid UTF-8, with white space
  /// around it at most, nested no deeper than ``maximumDepth``.
  ///
  /// O(n), no allocation; plain ASCII strings go 32 bytes at a time.
  /// - Throws: ``BusError/Code/invalidPayload``, naming what is wrong at which byte.
  static func validate(_ bytes: RawSpan) throws(BusError) {
    let flaw = unsafe bytes.withUnsafeBytes { unsafe RawJSON.flaw(in: $0) }
    if let flaw { throw RawJSON.invalid(flaw) }
  }

  /// The first thing that is wrong with `bytes`, or nil when they are one JSON value.
  static func flaw(in bytes: UnsafeRawBufferPointer) -> JSONFlaw? {
    if unsafe PlainJSON.accepts(bytes) { return nil }
    var scanner = unsafe JSONScanner(unsafe: bytes)
    do throws(JSONFlaw) {
      try scanner.skipValue()
      scanner.skipWhiteSpace()
      return scanner.position == scanner.end ? nil : scanner.flaw(.trailingBytes)
    } catch { return error }
  }

  private static func invalid(_ flaw: JSONFlaw) -> BusError {
    BusError(
      .invalidPayload, "the payload is not JSON: \(flaw)",
      hint: "a payload is one JSON value in UTF-8; RawJSON.text(_:) makes one from plain text")
  }

  /// Plain text as a payload: `{"text": ...}`. O(n).
  public static func text(_ text: String) -> RawJSON {
    var bytes = Array(#"{"text":"#.utf8)
    bytes.reserveCapacity(bytes.count + text.utf8.count + 3)
    JSONString.append(text, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
    return RawJSON(validated: bytes)
  }
}
