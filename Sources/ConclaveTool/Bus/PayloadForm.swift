import ConclaveBus

/// How bytes become payloads: as the JSON that they are, or wrapped as text.
struct PayloadForm {
  let asText: Bool

  /// - Throws: `invalidPayload`.
  func payload(_ bytes: [UInt8]) throws(BusError) -> RawJSON {
    guard asText else { return try json(bytes) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BusError(
        .invalidPayload, "the text is not valid UTF-8", hint: "convert it to UTF-8 first")
    }
    return RawJSON.text(text)
  }

  private func json(_ bytes: [UInt8]) throws(BusError) -> RawJSON {
    do throws(BusError) {
      return try RawJSON(Array(PayloadForm.trimmed(bytes[...])))
    } catch {
      // The library's advice is for programs.
      throw BusError(
        error.code, error.message,
        hint: "a payload is one JSON value in UTF-8; --text wraps plain text")
    }
  }

  /// The whole of standard input, which must not be empty unless it is text.
  func payload(wholeInput bytes: [UInt8]) throws(BusError) -> RawJSON {
    if asText {
      let end = bytes.lastIndex { $0 != UInt8(ascii: "\n") }
      return try payload(Array(bytes[..<(end.map { $0 + 1 } ?? 0)]))
    }
    guard !PayloadForm.trimmed(bytes[...]).isEmpty else {
      throw BusError(
        .invalidPayload, "standard input holds no payload",
        hint: "write one JSON value to it, or use --payload")
    }
    return try payload(bytes)
  }

  /// nil for an empty line, which is no JSON but common at the end of files.
  func payload(line: [UInt8]) throws(BusError) -> RawJSON? {
    if !asText, PayloadForm.trimmed(line[...]).isEmpty { return nil }
    return try payload(line)
  }

  /// `bytes` without the white space of JSON around them.
  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool {
      byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
    guard let last = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
    return bytes[...last].drop(while: isSpace)
  }
}
