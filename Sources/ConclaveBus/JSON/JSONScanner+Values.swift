extension JSONScanner {
  /// Steps over one value, after white space; ``position`` is then right behind it.
  mutating func skipValue() throws(JSONFlaw) {
    var nesting = JSONNesting()
    while true {
      skipWhiteSpace()
      if try beginValue(&nesting) { continue }
      while true {
        guard nesting.depth > 0 else { return }
        skipWhiteSpace()
        if try continueContainer(&nesting) { break }
      }
    }
  }

  /// Steps over a whole scalar, or into a container.
  ///
  /// - Returns: whether a value inside the container just entered is next.
  @inline(__always)
  private mutating func beginValue(_ nesting: inout JSONNesting) throws(JSONFlaw) -> Bool {
    guard position < end else { throw flaw(.missingValue) }
    switch byte(position) {
    case UInt8(ascii: "\""): _ = try skipString()
    case UInt8(ascii: "{"):
      guard nesting.enter(object: true) else { throw flaw(.tooDeep) }
      position &+= 1
      skipWhiteSpace()
      // The closing brace of an empty object is left to who continues it.
      guard position < end, byte(position) == UInt8(ascii: "}") else {
        try skipKey()
        return true
      }
    case UInt8(ascii: "["):
      guard nesting.enter(object: false) else { throw flaw(.tooDeep) }
      position &+= 1
      skipWhiteSpace()
      guard position < end, byte(position) == UInt8(ascii: "]") else { return true }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
    case UInt8(ascii: "t"): try skipLiteral("true")
    case UInt8(ascii: "f"): try skipLiteral("false")
    case UInt8(ascii: "n"): try skipLiteral("null")
    default: throw flaw(.unexpectedByte)
    }
    return false
  }

  /// Steps over what follows a value inside a container: the comma, and in an object the next key;
  /// or the end of the container.
  ///
  /// - Returns: whether a value is next.
  @inline(__always)
  private mutating func continueContainer(_ nesting: inout JSONNesting) throws(JSONFlaw) -> Bool {
    let next = position < end ? byte(position) : 0
    if nesting.isObject {
      if next == UInt8(ascii: ",") {
        position &+= 1
        skipWhiteSpace()
        try skipKey()
        return true
      }
      guard next == UInt8(ascii: "}") else { throw flaw(.missingCommaOrBrace) }
    } else {
      if next == UInt8(ascii: ",") {
        position &+= 1
        return true
      }
      guard next == UInt8(ascii: "]") else { throw flaw(.missingCommaOrBracket) }
    }
    position &+= 1
    nesting.leave()
    return false
  }

  /// Steps over a key and its colon.
  @inline(__always)
  private mutating func skipKey() throws(JSONFlaw) {
    guard position < end, byte(position) == UInt8(ascii: "\"") else { throw flaw(.missingKey) }
    _ = try skipString()
    skipWhiteSpace()
    guard skip(UInt8(ascii: ":")) else { throw flaw(.missingColon) }
  }

  private mutating func skipLiteral(_ literal: StaticString) throws(JSONFlaw) {
    let length = literal.utf8CodeUnitCount
    guard position &+ length <= end else { throw flaw(.unexpectedByte) }
    for index in 0..<length {
      let wanted = unsafe literal.utf8Start[index]
      guard byte(position &+ index) == wanted else { throw flaw(.unexpectedByte) }
    }
    position &+= length
  }

  private mutating func skipNumber() throws(JSONFlaw) {
    _ = skip(UInt8(ascii: "-"))
    if !skip(UInt8(ascii: "0")) { try skipDigits() }
    if skip(UInt8(ascii: ".")) { try skipDigits() }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
      try skipDigits()
    }
  }

  /// At least one digit.
  @inline(__always)
  private mutating func skipDigits() throws(JSONFlaw) {
    let start = position
    while position < end, byte(position) &- UInt8(ascii: "0") <= 9 { position &+= 1 }
    guard position > start else { throw flaw(.badNumber) }
  }
}

/// Which of the containers around a value are objects: one bit for each, so that any depth that is
/// allowed needs neither recursion nor allocation.
struct JSONNesting {
  private(set) var depth = 0
  private var words = InlineArray<16, UInt64>(repeating: 0)

  /// Whether the innermost container is an object. There must be one.
  @inline(__always)
  var isObject: Bool { words[(depth &- 1) &>> 6] &>> UInt64((depth &- 1) & 63) & 1 != 0 }

  /// - Returns: false when that would be too deep.
  @inline(__always)
  mutating func enter(object: Bool) -> Bool {
    guard depth < RawJSON.maximumDepth else { return false }
    let mask: UInt64 = 1 &<< UInt64(depth & 63)
    if object { words[depth &>> 6] |= mask } else { words[depth &>> 6] &= ~mask }
    depth &+= 1
    return true
  }

  @inline(__always)
  mutating func leave() { depth &-= 1 }
}
