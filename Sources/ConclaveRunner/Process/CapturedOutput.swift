/// What a program has written, kept within bounds: the beginning, the end, and how much there was.
///
/// Whoever prints 10 GB costs no more memory than the two limits and a little.
public struct CapturedOutput: Hashable, Sendable {
  /// The most that is kept of the beginning and of the end, in bytes.
  public let headLimit: Int
  public let tailLimit: Int
  /// How many bytes were written in all.
  public private(set) var count = 0
  private var head: [UInt8] = []
  private var tail: [UInt8] = []

  public init(headLimit: Int = 1 << 18, tailLimit: Int = 1 << 22) {
    self.headLimit = max(0, headLimit)
    self.tailLimit = max(1, tailLimit)
  }

  /// Amortised O(bytes).
  mutating func append(_ bytes: ArraySlice<UInt8>) {
    count &+= bytes.count
    let room = headLimit - head.count
    head.append(contentsOf: bytes.prefix(max(0, room)))
    tail.append(contentsOf: bytes.dropFirst(max(0, room)))
    if tail.count > tailLimit * 2 { tail.removeFirst(tail.count - tailLimit) }
  }

  /// How many bytes in the middle were not kept.
  public var omitted: Int { max(0, count - head.count - keptTail.count) }

  private var keptTail: ArraySlice<UInt8> { tail.suffix(tailLimit) }

  /// All that was written, or nil when not everything was kept.
  public var bytes: [UInt8]? { omitted > 0 ? nil : head + tail }

  /// What was kept; what is not UTF-8 is replaced, and a line says what is missing.
  public var text: String {
    let gap = omitted > 0 ? Array("\n[... \(omitted) bytes omitted ...]\n".utf8) : []
    return String(decoding: head + gap + keptTail, as: UTF8.self)
  }
}
