import Glibc

/// Writes text at an advancing place in memory.
///
/// Whoever makes one has made enough room for all that will be written. Only what may be more than
/// when the room was measured, since it was read from memory that others write, is checked.
@safe
struct LineCursor {
  /// Where the next byte goes.
  private(set) var place: UnsafeMutableRawPointer
  private let end: UnsafeMutableRawPointer

  init(unsafe place: UnsafeMutableRawPointer, room: Int) {
    unsafe self.place = unsafe place
    unsafe end = unsafe place + room
  }

  /// How much of the room is left.
  var room: Int { unsafe end - place }

  @inline(__always)
  mutating func literal(_ text: StaticString) {
    unsafe copy(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inline(__always)
  mutating func byte(_ byte: UInt8) {
    unsafe place.storeBytes(of: byte, as: UInt8.self)
    unsafe place += 1
  }

  @inline(__always)
  mutating func copy(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    unsafe place.copyMemory(from: base, byteCount: bytes.count)
    unsafe place += bytes.count
  }

  @inline(__always)
  mutating func copy(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe copy($0) }
  }

  /// At most 20 bytes.
  mutating func number(_ number: UInt64) {
    let width = LineCursor.decimalWidth(number)
    var rest = number
    var offset = width
    repeat {
      offset &-= 1
      let digit = UInt8(truncatingIfNeeded: rest % 10) &+ UInt8(ascii: "0")
      unsafe place.storeBytes(of: digit, toByteOffset: offset, as: UInt8.self)
      rest /= 10
    } while offset > 0
    unsafe place += width
  }

  /// How many digits ``number(_:)`` writes.
  static func decimalWidth(_ number: UInt64) -> Int {
    var width = 1
    var limit: UInt64 = 10
    while number >= limit {
      width &+= 1
      if width == 20 { break }
      limit &*= 10
    }
    return width
  }

  /// 30 bytes.
  mutating func timestamp(_ timestamp: Timestamp) {
    unsafe timestamp.write(to: place)
    unsafe place += Timestamp.textLength
  }

  /// `text` as a JSON string: at most 6 bytes for each of its own, and 2.
  mutating func string(_ text: UnsafeRawBufferPointer) {
    byte(UInt8(ascii: "\""))
    for index in 0..<text.count {
      let next = unsafe text[index]
      switch next {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        byte(UInt8(ascii: "\\"))
        byte(next)
      case ..<0x20:
        literal("\\u00")
        byte(LineCursor.hexDigit(next >> 4))
        byte(LineCursor.hexDigit(next & 15))
      default: byte(next)
      }
    }
    byte(UInt8(ascii: "\""))
  }

  private static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
  }
}
