import ConclaveBus
import Testing

@testable import ConclaveStress

@Suite struct PayloadTests {
  static let lengths = [
    104, 105, 110, 111, 112, 120, 127, 128, 135, 136, 143, 250, 256, 1000, 4096,
  ]

  @Test(arguments: lengths)
  func roundTrip(_ length: Int) throws {
    let reader = PayloadReader(length: length)
    for publisher in [0, 1, 119] {
      let writer = PayloadWriter(publisher: publisher, length: length)
      for number in [1, 2, 15, 16, 0xFFFF_FFFF, 0x1_0000_0000, .max] as [UInt64] {
        let bytes = payload(writer, number, due: number &* 3)
        #expect(bytes.count == length)
        #expect(throws: Never.self) { try RawJSON(bytes) }
        let contents = unsafe reader.read(bytes.span.bytes)
        #expect(contents == PayloadContents(publisher: UInt32(publisher), number: number))
        #expect(unsafe reader.due(bytes.span.bytes) == number &* 3)
      }
    }
  }

  @Test func form() {
    let text = String(
      decoding: payload(PayloadWriter(publisher: 7, length: 128), 42), as: UTF8.self)
    #expect(
      text.hasPrefix(
        #"{"msg":"00000007 number 000000000000002a due at 0000000000000000 sum is "#))
    #expect(text.hasSuffix(#""}"#))
  }

  /// Every byte counts: no bit can flip unnoticed, neither in a field nor in the filler.
  @Test(arguments: [104, 111, 256])
  func everyFlippedBitIsFound(_ length: Int) {
    let reader = PayloadReader(length: length)
    let writer = PayloadWriter(publisher: 12, length: length)
    for number in [1, 99_999] as [UInt64] {
      var bytes = payload(writer, number, due: 1_234_567_890)
      for bit in 0..<8 * length {
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(unsafe reader.read(bytes.span.bytes) == nil, "bit \(bit)")
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      #expect(unsafe reader.read(bytes.span.bytes) != nil)
    }
  }

  /// What a torn copy looks like: the beginning of one message and the end of another.
  @Test func everyTearIsFound() {
    let length = 256
    let reader = PayloadReader(length: length)
    let writer = PayloadWriter(publisher: 3, length: length)
    let old = payload(writer, 1000)
    let new = payload(writer, 1001)
    for cut in 0...length {
      let torn = Array(new[..<cut] + old[cut...])
      let isWhole = torn == old || torn == new
      #expect(unsafe (reader.read(torn.span.bytes) != nil) == isWhole, "cut at \(cut)")
    }
  }

  @Test func otherLengthsAreRefused() {
    let bytes = payload(PayloadWriter(publisher: 0, length: 128), 1)
    for length in [104, 127, 129] {
      #expect(unsafe PayloadReader(length: length).read(bytes.span.bytes) == nil)
    }
    #expect(unsafe PayloadReader(length: 128).read([UInt8]().span.bytes) == nil)
  }

  @Test(arguments: [0, 1, 9, 10, 15, 16, 0xABCD_EF01, .max] as [UInt32])
  func digits(_ value: UInt32) {
    let word = HexDigits.word(value)
    let text = unsafe withUnsafeBytes(of: word) { unsafe String(decoding: $0, as: UTF8.self) }
    let plain = String(value, radix: 16)
    #expect(text == String(repeating: "0", count: 8 - plain.count) + plain)
    #expect(HexDigits.value(word) == value)
  }
}

/// A copy of the payload that `writer` makes.
func payload(_ writer: borrowing PayloadWriter, _ number: UInt64, due: UInt64 = 0) -> [UInt8] {
  var bytes: [UInt8] = []
  writer.withPayload(number: number, due: due) { span in
    bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
  }
  return bytes
}
