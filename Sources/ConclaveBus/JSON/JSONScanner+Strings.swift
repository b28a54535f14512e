extension JSONScanner {
  /// Steps over the string whose opening quote is at ``position``.
  ///
  /// - Returns: whether it holds escape sequences.
  @inline(__always)
  mutating func skipString() throws(JSONFlaw) -> Bool {
    position = indexOfSpecial(from: position &+ 1)
    if position < end, byte(position) == UInt8(ascii: "\"") {
      position &+= 1
      return false
    }
    return try skipRestOfString()
  }

  /// The first byte from `start` on that is not plain ASCII text: a quote, a backslash, a control
  /// character or part of a longer UTF-8 sequence; ``end`` when there is none.
  ///
  /// As signed numbers, control characters and non-ASCII bytes are exactly those below 0x20: one
  /// comparison finds both.
  @inline(__always)
  private func indexOfSpecial(from start: Int) -> Int {
    var index = start
    // Most keys and many values are short: one block alone first.
    if index &+ 16 <= end {
      let mask = JSONScanner.special(block(index))
      if JSONScanner.any(mask) { return index &+ JSONScanner.first(mask) }
      index &+= 16
    }
    while index &+ 32 <= end {
      let low = JSONScanner.special(block(index))
      let high = JSONScanner.special(block(index &+ 16))
      if JSONScanner.any(low | high) {
        return JSONScanner.any(low)
          ? index &+ JSONScanner.first(low) : index &+ 16 &+ JSONScanner.first(high)
      }
      index &+= 32
    }
    if index &+ 16 <= end {
      let mask = JSONScanner.special(block(index))
      if JSONScanner.any(mask) { return index &+ JSONScanner.first(mask) }
      index &+= 16
    }
    while index < end, JSONScanner.isPlain(byte(index)) { index &+= 1 }
    return index
  }

  @inline(__always)
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  /// All bits set in each byte that is special.
  @inline(__always)
  private static func special(_ block: SIMD16<UInt8>) -> SIMD2<UInt64> {
    let signed = SIMD16<Int8>(truncatingIfNeeded: block)
    let mask =
      (signed .< SIMD16<Int8>(repeating: 0x20))
      .| (block .== SIMD16<UInt8>(repeating: UInt8(ascii: "\"")))
      .| (block .== SIMD16<UInt8>(repeating: UInt8(ascii: "\\")))
    return unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
  }

  /// Compiles to one vector comparison and `movmskps`.
  @inline(__always)
  private static func any(_ mask: SIMD2<UInt64>) -> Bool { mask[0] | mask[1] != 0 }

  /// Which byte is the first with bits set; at least one is. Bytes lie from low to high in a word:
  /// every Linux that Swift runs on is little-endian.
  @inline(__always)
  private static func first(_ mask: SIMD2<UInt64>) -> Int {
    mask[0] != 0
      ? mask[0].trailingZeroBitCount &>> 3 : 8 &+ (mask[1].trailingZeroBitCount &>> 3)
  }

  @inline(never)
  private mutating func skipRestOfString() throws(JSONFlaw) -> Bool {
    var escaped = false
    while position < end {
      let next = byte(position)
      switch next {
      case UInt8(ascii: "\""):
        position &+= 1
        return escaped
      case UInt8(ascii: "\\"):
        escaped = true
        try skipEscape()
      case 0x80...:
        guard let length = lengthOfUTF8Sequence() else { throw flaw(.badUTF8) }
        position &+= length
        // Text in other scripts comes in runs: no need to look for the run's end 16 bytes at a
        // time.
        if position < end, byte(position) >= 0x80 { continue }
      default: throw flaw(.controlCharacter)
      }
      position = indexOfSpecial(from: position)
    }
    throw flaw(.unterminatedString)
  }

  private mutating func skipEscape() throws(JSONFlaw) {
    guard position &+ 1 < end else { throw JSONFlaw(reason: .unterminatedString, offset: end) }
    switch byte(position &+ 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position &+= 2
    case UInt8(ascii: "u"):
      guard position &+ 6 <= end else { throw flaw(.badEscape) }
      for index in position &+ 2..<position &+ 6 where JSONScanner.hexDigit(byte(index)) == nil {
        throw flaw(.badEscape)
      }
      position &+= 6
    default: throw flaw(.badEscape)
    }
  }

  /// The value of a hexadecimal digit.
  static func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The length of the well-formed sequence of 2 to 4 bytes at ``position``, or nil. Table 3-7 of
  /// the Unicode standard: nothing overlong, no surrogates, nothing above U+10FFFF.
  private func lengthOfUTF8Sequence() -> Int? {
    let lead = byte(position)
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return nil
    }
    guard position &+ length <= end, second.contains(byte(position &+ 1)) else { return nil }
    for index in 2..<max(length, 2) where byte(position &+ index) & 0xC0 != 0x80 { return nil }
    return length
  }
}
