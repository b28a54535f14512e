import CShim

/// 128 random bits that distinguish a segment from all others ever made.
public struct RingGeneration: Hashable, Sendable {
  private let halves: (high: UInt64, low: UInt64)

  init(_ view: UnsafePointer<conclave_view>) {
    halves = unsafe (conclave_generation_half(view, 0), conclave_generation_half(view, 1))
  }

  public static func == (left: RingGeneration, right: RingGeneration) -> Bool {
    left.halves == right.halves
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(halves.high)
    hasher.combine(halves.low)
  }
}

extension RingGeneration: CustomStringConvertible {
  /// 32 hexadecimal digits.
  public var description: String { hexadecimal(halves.high) + hexadecimal(halves.low) }

  /// The bytes in their order in memory.
  private func hexadecimal(_ half: UInt64) -> String {
    let digits = String(half.bigEndian, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
