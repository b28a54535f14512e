/// What is kept of a topic: limits on age, size and number, each of them optional.
///
/// What exceeds any of the limits goes, the oldest first, and whole files only: so there is always
/// at least as much as the limit that asks for least, where there ever was, and about an eighth
/// more at most. See ``FileBus/enforceRetention(now:)`` for how.
public struct RetentionPolicy: Hashable, Sendable {
  /// A message younger than this does not go for its age.
  public var age: Duration?
  /// So many bytes of a topic, its last, do not go for their number.
  public var size: UInt64?
  /// So many messages of a topic, its last, do not go for their number.
  public var count: UInt64?

  /// - Parameters:
  ///   - age: by the time stamps of the messages; negative is as good as zero.
  ///   - size: in bytes, as the lines stand in the files.
  ///   - count: of lines.
  public init(age: Duration? = nil, size: UInt64? = nil, count: UInt64? = nil) {
    self.age = age
    self.size = size
    self.count = count
  }

  /// A limit that keeps nothing, as it is written; nil when none does. A bus is not opened with
  /// one; ``FileBus/compact(by:now:)`` takes it at its word.
  public var limitOfNothing: String? {
    if let age, age <= .zero { return "age=0" }
    if size == 0 { return "size=0" }
    return count == 0 ? "count=0" : nil
  }

  /// Whether there is no limit.
  public var keepsEverything: Bool { age == nil && size == nil && count == nil }
}

extension RetentionPolicy {
  /// Files go as a whole, so a topic's last messages should lie in about this many.
  private static let files: UInt64 = 8
  /// The least and the greatest length at which a file is rotated by itself.
  private static let lengths: ClosedRange<UInt64> = 64 << 10...256 << 20

  /// How long a file becomes before it is rotated, in bytes; nil when nothing would ever be
  /// removed.
  var rotationLimit: UInt64? {
    if keepsEverything { return nil }
    guard let size else { return Self.lengths.upperBound }
    return min(max(size / Self.files, Self.lengths.lowerBound), Self.lengths.upperBound)
  }

  /// Whether an active file holds so much that it should be rotated, or else its first messages
  /// would stay for long after their time.
  func isLarge(bytes: UInt64, messages: UInt64?, age: UInt64?) -> Bool {
    if let rotationLimit, bytes >= rotationLimit { return true }
    if let count, let messages, messages >= max(count / Self.files, 1) { return true }
    guard let limit = ageNanoseconds, let age else { return false }
    return age > limit / Self.files
  }

  /// ``age`` in nanoseconds, at least 0.
  var ageNanoseconds: UInt64? { age.map { UInt64(max(0, $0.nanoseconds)) } }
}
