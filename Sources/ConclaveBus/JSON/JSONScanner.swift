/// Walks over JSON text (RFC 8259) in memory that it does not own: one pass, no allocation, no
/// recursion.
///
/// Whoever makes one keeps the memory alive and unchanged. Every read is bounded by `end`.
@safe
struct JSONScanner {
  /// Index of the next byte to look at, at most ``end``.
  var position: Int
  /// Index behind the last byte.
  let end: Int
  private let base: UnsafeRawPointer

  /// `bytes` from `start` on.
  init(unsafe bytes: UnsafeRawBufferPointer, from start: Int = 0) {
    // An empty buffer may have no address; nothing is read from the stand-in.
    unsafe base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
    end = bytes.count
    position = start
  }

  /// The byte at `index`, which must be less than ``end``.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    assert(index >= 0 && index < end)
    return unsafe base.load(fromByteOffset: index, as: UInt8.self)
  }

  /// The 16 bytes at `index`, which must be at most `end - 16`.
  @inline(__always)
  func block(_ index: Int) -> SIMD16<UInt8> {
    assert(index >= 0 && index <= end - 16)
    return unsafe base.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
  }

  /// The bytes of `range`, for as long as the memory lives.
  func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= end)
    return unsafe UnsafeRawBufferPointer(
      start: base + range.lowerBound, count: range.count)
  }

  /// The byte at ``position``, or nil at the end.
  @inline(__always)
  var current: UInt8? { position < end ? byte(position) : nil }

  @inline(__always)
  mutating func skipWhiteSpace() {
    while position < end {
      let next = byte(position)
      if next > 0x20 { return }
      guard next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 else { return }
      position &+= 1
    }
  }

  /// Steps over `wanted` if it is next.
  @inline(__always)
  mutating func skip(_ wanted: UInt8) -> Bool {
    guard position < end, byte(position) == wanted else { return false }
    position &+= 1
    return true
  }

  func flaw(_ reason: JSONFlaw.Reason) -> JSONFlaw { JSONFlaw(reason: reason, offset: position) }
}
