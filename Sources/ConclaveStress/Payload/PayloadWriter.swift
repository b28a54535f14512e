/// Makes one publisher's payloads, one after the other in the same memory. Allocates nothing per
/// payload.
@safe
package struct PayloadWriter: ~Copyable {
  private let layout: PayloadLayout
  private let bytes: UnsafeMutableRawPointer
  /// Words of the head that never change: the ones between the fields, and the publisher's number.
  private let fixed: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
  private let seed: UInt64

  /// The shortest payload that can carry everything.
  package static var minimumLength: Int { PayloadLayout.minimumLength }

  /// - Parameter length: at least ``minimumLength``.
  package init(publisher: Int, length: Int) {
    layout = PayloadLayout(length: length)
    seed = UInt64(publisher) &* 0x9E37_79B9_7F4A_7C15
    let memory = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 64)
    unsafe bytes = memory
    unsafe memory.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "), count: length)
    for (offset, byte) in PayloadLayout.head.utf8.enumerated() {
      unsafe memory.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }
    unsafe memory.storeBytes(of: UInt8(ascii: "}"), toByteOffset: length - 1, as: UInt8.self)
    let digits = HexDigits.word(UInt32(truncatingIfNeeded: publisher))
    unsafe memory.storeBytes(of: digits, toByteOffset: PayloadLayout.publisher, as: UInt64.self)
    func word(_ offset: Int) -> UInt64 {
      unsafe memory.load(fromByteOffset: offset, as: UInt64.self)
    }
    fixed = (word(0), word(8), word(16), word(40), word(64), word(88))
  }

  deinit { unsafe bytes.deallocate() }

  /// Makes the payload with this number, due at this time (0: whenever), and lends it.
  @inline(__always)
  package borrowing func withPayload<Failure: Error>(
    number: UInt64, due: UInt64, _ body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    let numberDigits = digits(number)
    let dueDigits = digits(due)
    let filler = filler(number)
    let last = filler.odd & PayloadLayout.lastWordFiller | layout.lastWordEnd
    var fingerprint = Fingerprint()
    fingerprint.add(fixed.0, fixed.1, fixed.2, numberDigits.high)
    fingerprint.add(numberDigits.low, fixed.3, dueDigits.high, dueDigits.low)
    fingerprint.add(fixed.4, fixed.5, last, UInt64(truncatingIfNeeded: layout.length))
    addFiller(filler, to: &fingerprint)
    store(numberDigits, at: PayloadLayout.number)
    store(dueDigits, at: PayloadLayout.due)
    store(digits(fingerprint.value), at: PayloadLayout.checksum)
    store(filler, last: last)
    try unsafe body(UnsafeRawBufferPointer(start: bytes, count: layout.length).bytes)
  }

  /// Two words of letters from a to p, chosen by publisher and number, that alternate.
  @inline(__always)
  private borrowing func filler(_ number: UInt64) -> (even: UInt64, odd: UInt64) {
    let mixed = (number &* 0xD6E8_FEB8_6659_FD93) ^ seed
    return (
      0x6161_6161_6161_6161 &+ (mixed & 0x0F0F_0F0F_0F0F_0F0F),
      0x6161_6161_6161_6161 &+ (mixed >> 4 & 0x0F0F_0F0F_0F0F_0F0F)
    )
  }

  /// The filler in front of the last word, as ``PayloadReader`` adds it.
  @inline(__always)
  private borrowing func addFiller(
    _ filler: (even: UInt64, odd: UInt64), to fingerprint: inout Fingerprint
  ) {
    var left = layout.fillerWords
    while left >= 4 {
      fingerprint.add(filler.even, filler.odd, filler.even, filler.odd)
      left -= 4
    }
    fingerprint.add(
      left > 0 ? filler.even : 0, left > 1 ? filler.odd : 0, left > 2 ? filler.even : 0, 0)
  }

  @inline(__always)
  private borrowing func store(_ filler: (even: UInt64, odd: UInt64), last: UInt64) {
    let pair = SIMD2(filler.even, filler.odd)
    var offset = PayloadLayout.filler
    while offset < layout.lastWord {
      // May reach into the last word, which comes next.
      unsafe bytes.storeBytes(of: pair, toByteOffset: offset, as: SIMD2<UInt64>.self)
      offset += 16
    }
    unsafe bytes.storeBytes(of: last, toByteOffset: layout.lastWord, as: UInt64.self)
  }

  @inline(__always)
  private borrowing func digits(_ value: UInt64) -> (high: UInt64, low: UInt64) {
    (
      HexDigits.word(UInt32(truncatingIfNeeded: value >> 32)),
      HexDigits.word(UInt32(truncatingIfNeeded: value))
    )
  }

  @inline(__always)
  private borrowing func store(_ digits: (high: UInt64, low: UInt64), at offset: Int) {
    unsafe bytes.storeBytes(of: digits.high, toByteOffset: offset, as: UInt64.self)
    unsafe bytes.storeBytes(of: digits.low, toByteOffset: offset + 8, as: UInt64.self)
  }
}
