import ConclaveBus

/// What is published when what it says does not matter.
enum Payloads {
  /// A JSON object of exactly so many bytes, at least 16.
  static func bytes(_ count: Int) -> [UInt8] {
    let head = Array(#"{"filler":""#.utf8)
    let filler = [UInt8](repeating: UInt8(ascii: "x"), count: max(0, count - head.count - 2))
    return head + filler + Array(#""}"#.utf8)
  }

  static func json(bytes count: Int) throws -> RawJSON { try RawJSON(bytes(count)) }
}
