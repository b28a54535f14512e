import ConclaveBus

/// Bytes that may be JSON, and may be an envelope: what is taken for JSON is just what RFC 8259
/// takes for it, and an envelope that was read is written and read again as the same. A libFuzzer
/// target; see `run` beside it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe bytes(start, count)
  var grammar = Grammar(input)
  let isJSON = grammar.isValue
  let payload = try? RawJSON(input)
  require((payload != nil) == isJSON, "\(payload == nil ? "refused" : "taken"), and should not be")
  require(payload.map { $0.bytes == input } ?? true, "the payload is not what was given")
  guard let envelope = try? Envelope(jsonLine: input.span.bytes) else { return 0 }
  require(isJSON, "an envelope that is no JSON")
  let line = envelope.jsonLine()
  require((try? RawJSON(line)) != nil, "an envelope is written as no JSON")
  require(!line.contains(0x0A), "an envelope is written as two lines")
  require((try? Envelope(jsonLine: line.span.bytes)) == envelope, "an envelope is read as another")
  return 0
}

/// RFC 8259 as it is written, one function a rule, and at most 1,000 deep.
private struct Grammar {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isValue: Bool {
    mutating get {
      guard String(validating: bytes, as: UTF8.self) != nil else { return false }
      return value(depth: 0) && place == bytes.count
    }
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    place += 1
    return true
  }

  private mutating func space() {
    while let next, [0x20, 0x09, 0x0A, 0x0D].contains(next) { place += 1 }
  }

  private mutating func value(depth: Int) -> Bool {
    space()
    defer { space() }
    switch next {
    case UInt8(ascii: "{"): return depth < 1000 && list("{", "}", depth, isObject: true)
    case UInt8(ascii: "["): return depth < 1000 && list("[", "]", depth, isObject: false)
    case UInt8(ascii: "\""): return string()
    case UInt8(ascii: "t"): return word("true")
    case UInt8(ascii: "f"): return word("false")
    case UInt8(ascii: "n"): return word("null")
    default: return number()
    }
  }

  private mutating func list(
    _ first: Character, _ last: Character, _ depth: Int, isObject: Bool
  ) -> Bool {
    guard take(first) else { return false }
    space()
    if take(last) { return true }
    repeat {
      space()
      if isObject {
        guard string() else { return false }
        space()
        guard take(":") else { return false }
      }
      guard value(depth: depth + 1) else { return false }
    } while take(",")
    return take(last)
  }

  private mutating func word(_ text: String) -> Bool { text.allSatisfy { take($0) } }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let byte = next {
      place += 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte < 0x20 { return false }
      if byte == UInt8(ascii: "\\"), !escape() { return false }
    }
    return false
  }

  private mutating func escape() -> Bool {
    guard let byte = next else { return false }
    place += 1
    guard byte == UInt8(ascii: "u") else { return Array("\"\\/bfnrt".utf8).contains(byte) }
    for _ in 0..<4 {
      guard let digit = next, Character(UnicodeScalar(digit)).isHexDigit else { return false }
      place += 1
    }
    return true
  }

  private mutating func digits() -> Bool {
    let start = place
    while let next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { place += 1 }
    return place > start
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0"), !digits() { return false }
    if take("."), !digits() { return false }
    guard take("e") || take("E") else { return true }
    if !take("+") { _ = take("-") }
    return digits()
  }
}
