import CShim

/// A fast yes for the JSON that machines write: ASCII, without escapes and without line breaks,
/// nested at most 64 deep. Whatever it does not accept goes to ``JSONScanner``, which knows all of
/// JSON and says what is wrong.
///
/// The quotation marks of 64 bytes are found at once and taken one after the other, so that no
/// string has to wait for the end of the one before, as in simdjson (Langdale and Lemire, 2019).
@safe
struct PlainJSON {
  private let base: UnsafeRawPointer
  private let end: Int
  private var position = 0
  /// Where the 64 bytes begin whose quotation marks are in `quotes`; those taken are gone from it.
  private var block = -64
  private var quotes: UInt64 = 0
  /// One bit per container around the place that is looked at, the innermost lowest: is it an
  /// object?
  private var objects: UInt64 = 0
  private var depth = 0

  /// Shorter texts are as quick without it, and a block must fit.
  private static let minimumLength = 64

  private init(_ bytes: UnsafeRawBufferPointer, _ base: UnsafeRawPointer) {
    unsafe self.base = base
    end = bytes.count
  }

  /// Whether `bytes` are one JSON value of that kind. False says nothing.
  @inline(__always)
  static func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= minimumLength, let base = bytes.baseAddress else { return false }
    var text = unsafe PlainJSON(bytes, base)
    return text.skipValue() && text.position == text.end
  }

  @inline(__always)
  private func byte(_ index: Int) -> UInt8 {
    // A stand-in that no rule accepts, so that ends need no check of their own.
    index < end ? unsafe base.load(fromByteOffset: index, as: UInt8.self) : 0
  }

  @inline(__always)
  private mutating func skipSpaces() {
    while byte(position) == UInt8(ascii: " ") { position &+= 1 }
  }

  /// One value with spaces around it.
  @inline(__always)
  private mutating func skipValue() -> Bool {
    while true {
      skipSpaces()
      switch byte(position) {
      case UInt8(ascii: "\""): guard skipString() else { return false }
      case UInt8(ascii: "{"):
        guard enter(1), skipKey() else { return false }
        continue
      case UInt8(ascii: "["):
        guard enter(0) else { return false }
        continue
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        guard skipNumber() else { return false }
      default: return false
      }
      var isNext = false
      while !isNext {
        skipSpaces()
        if depth == 0 { return true }
        guard goOn(&isNext) else { return false }
      }
    }
  }

  /// What follows a value in a container; `isNext` tells whether it is another value.
  @inline(__always)
  private mutating func goOn(_ isNext: inout Bool) -> Bool {
    let next = byte(position)
    position &+= 1
    let isObject = objects & 1 != 0
    if next == UInt8(ascii: ",") {
      isNext = true
      return isObject ? skipKey() : true
    }
    objects &>>= 1
    depth &-= 1
    return next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
  }

  @inline(__always)
  private mutating func enter(_ object: UInt64) -> Bool {
    position &+= 1
    objects = objects &<< 1 | object
    depth &+= 1
    return depth <= 64
  }

  @inline(__always)
  private mutating func skipKey() -> Bool {
    skipSpaces()
    guard byte(position) == UInt8(ascii: "\""), skipString() else { return false }
    skipSpaces()
    guard byte(position) == UInt8(ascii: ":") else { return false }
    position &+= 1
    return true
  }

  /// The string whose opening mark is at `position`.
  @inline(__always)
  private mutating func skipString() -> Bool {
    guard takeQuote() == position else { return false }
    let closing = takeQuote()
    position = closing &+ 1
    return closing < end
  }

  /// The place of the next quotation mark; `end` when there is none or when a block holds something
  /// that is not plain.
  @inline(__always)
  private mutating func takeQuote() -> Int {
    while quotes == 0 {
      guard nextBlock() else { return end }
    }
    let place = block &+ quotes.trailingZeroBitCount
    quotes &= quotes &- 1
    return place
  }

  @inline(__always)
  private mutating func nextBlock() -> Bool {
    block &+= 64
    guard block < end else { return false }
    // The last block begins earlier, where 64 bytes are left; what was looked at before is shifted
    // out.
    let start = min(block, end &- 64)
    let bits = unsafe conclave_text_classify(base + start)
    quotes = bits.quotes &>> UInt64(block &- start)
    return bits.others == 0
  }

  @inline(__always)
  private mutating func skipNumber() -> Bool {
    if byte(position) == UInt8(ascii: "-") { position &+= 1 }
    if byte(position) == UInt8(ascii: "0") {
      position &+= 1
    } else if !skipDigits() {
      return false
    }
    // Fractions and exponents are left to the scanner.
    let next = byte(position)
    return next != UInt8(ascii: ".") && next | 0x20 != UInt8(ascii: "e")
  }

  @inline(__always)
  private mutating func skipDigits() -> Bool {
    let start = position
    while byte(position) &- UInt8(ascii: "0") <= 9 { position &+= 1 }
    return position > start
  }
}
