/// A 64-bit hash of every byte of a payload but its checksum.
///
/// Words are combined, multiplied to 128 bits and folded, as in wyhash (Wang Yi) and XXH3 (Yann
/// Collet), here four words a multiplication. The multiplications do not wait for each other. Good
/// against accidents, which are what a stress test looks for; no defence against deceit.
///
/// Fed with registers, so that who makes a payload need not read back what was just written.
struct Fingerprint {
  // Digits of pi behind the point: everybody may check that they hide nothing.
  private static let s0: UInt64 = 0x243F_6A88_85A3_08D3
  private static let s1: UInt64 = 0x1319_8A2E_0370_7344
  private static let s2: UInt64 = 0xA409_3822_299F_31D0
  private static let s3: UInt64 = 0x082E_FA98_EC4E_6C89

  private var sum = Fingerprint.s3

  @inline(__always)
  init() {}

  /// Four words, in their order.
  @inline(__always)
  mutating func add(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
    let left = (first ^ Fingerprint.s0) &+ Fingerprint.rotated(second, by: 23)
    let right = (third ^ Fingerprint.s1) &+ Fingerprint.rotated(fourth, by: 41)
    // The rotation keeps blocks from changing places.
    sum = Fingerprint.rotated(sum, by: 31) &+ Fingerprint.fold(left, right)
  }

  var value: UInt64 {
    @inline(__always) get { Fingerprint.fold(sum ^ Fingerprint.s2, Fingerprint.s1) }
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  @inline(__always)
  private static func rotated(_ word: UInt64, by count: UInt64) -> UInt64 {
    word << count | word >> (64 &- count)
  }
}
