import Testing

@testable import ConclaveBus

@Suite struct SipHashTests {
  /// `vectors_sip128` of the authors' reference implementation (github.com/veorq/SipHash,
  /// vectors.h): the key is 00 01 ... 0f, the input 00 01 ... of so many bytes.
  private static let vectors: [(length: Int, digest: String)] = [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"), (3, "9c70b60c5267a94e5f33b6b02985ed51"),
    (4, "f88164c12d9c8faf7d0f6e7c7bcd5579"), (5, "1368875980776f8854527a07690e9627"),
    (6, "14eeca338b208613485ea0308fd7a15e"), (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
    (8, "3b62a9ba6258f5610f83e264f31497b4"), (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
  ]

  @Test(arguments: vectors)
  func publishedVectors(_ length: Int, _ expected: String) {
    let key = SipHash.Key(first: 0x0706_0504_0302_0100, second: 0x0F0E_0D0C_0B0A_0908)
    let input = [UInt8](0..<UInt8(length))
    let digest = unsafe input.withUnsafeBytes { unsafe SipHash.digest($0, key: key) }
    #expect(hex(digest.first) + hex(digest.second) == expected)
  }

  /// Lowest byte first, as the vectors are written.
  private func hex(_ word: UInt64) -> String {
    (0..<8).map { index in
      let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * index))
      return (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
