/// What a payload says about itself, once its checksum was found right.
package struct PayloadContents: Equatable {
  package let publisher: UInt32
  package let number: UInt64
}

/// Checks payloads of one length.
package struct PayloadReader {
  private let layout: PayloadLayout
  private let trailingMask: UInt64
  private let trailingBytes: UInt64

  /// - Parameter length: at least ``PayloadWriter/minimumLength``.
  package init(length: Int) {
    layout = PayloadLayout(length: length)
    trailingMask = layout.trailingMask
    trailingBytes = layout.trailingBytes
  }

  /// Checks every byte; nil when one of them, or the length, is wrong.
  @inline(__always)
  package func read(_ payload: RawSpan) -> PayloadContents? {
    guard payload.byteCount == layout.length else { return nil }
    return unsafe payload.withUnsafeBytes { buffer in
      guard let bytes = buffer.baseAddress, unsafe isIntact(bytes) else { return nil }
      return PayloadContents(
        publisher: HexDigits.value(unsafe word(bytes, PayloadLayout.publisher)),
        number: unsafe number(bytes, PayloadLayout.number))
    }
  }

  /// When a payload that was found right was due; 0: whenever.
  package func due(_ payload: RawSpan) -> UInt64 {
    guard payload.byteCount == layout.length else { return 0 }
    return unsafe payload.withUnsafeBytes { buffer in
      guard let bytes = buffer.baseAddress else { return 0 }
      return unsafe number(bytes, PayloadLayout.due)
    }
  }

  @unsafe @inline(__always)
  private func isIntact(_ bytes: UnsafeRawPointer) -> Bool {
    let value = unsafe fingerprint(bytes)
    // The digits are compared, not their value: "A" is not what a writer would have written.
    let high = HexDigits.word(UInt32(truncatingIfNeeded: value >> 32))
    let low = HexDigits.word(UInt32(truncatingIfNeeded: value))
    return unsafe word(bytes, PayloadLayout.checksum) == high
      && word(bytes, PayloadLayout.checksum + 8) == low
      && word(bytes, layout.length - 8) & trailingMask == trailingBytes
  }

  @unsafe @inline(__always)
  private func fingerprint(_ bytes: UnsafeRawPointer) -> UInt64 {
    var fingerprint = Fingerprint()
    unsafe fingerprint.add(word(bytes, 0), word(bytes, 8), word(bytes, 16), word(bytes, 24))
    unsafe fingerprint.add(word(bytes, 32), word(bytes, 40), word(bytes, 48), word(bytes, 56))
    unsafe fingerprint.add(
      word(bytes, 64), word(bytes, PayloadLayout.fillerName), word(bytes, layout.lastWord),
      UInt64(truncatingIfNeeded: layout.length))
    var offset = PayloadLayout.filler
    while offset + 32 <= layout.lastWord {
      unsafe fingerprint.add(
        word(bytes, offset), word(bytes, offset + 8), word(bytes, offset + 16),
        word(bytes, offset + 24))
      offset += 32
    }
    let left = layout.lastWord - offset
    unsafe fingerprint.add(
      left > 0 ? word(bytes, offset) : 0, left > 8 ? word(bytes, offset + 8) : 0,
      left > 16 ? word(bytes, offset + 16) : 0, 0)
    return fingerprint.value
  }

  @unsafe @inline(__always)
  private func number(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    let high = HexDigits.value(unsafe word(bytes, offset))
    return unsafe UInt64(high) << 32 | UInt64(HexDigits.value(word(bytes, offset + 8)))
  }

  @unsafe @inline(__always)
  private func word(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }
}
