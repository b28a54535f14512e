/// The name of a stream of messages: segments of `[A-Za-z0-9_-]` joined by `.`, 1 to 200 bytes.
///
/// A topic becomes a file name, so nothing that means something to a file system (`/`, NUL, `..`,
/// a leading dot) can be spelled with it.
public struct Topic: Hashable, Sendable {
  /// The greatest length in bytes.
  public static let maximumLength = 200

  public let name: String

  /// - Throws: ``BusError/Code/invalidTopic``.
  public init(_ name: String) throws(BusError) {
    guard Topic.isWellFormed(name.utf8) else { throw Topic.malformed("topic", name) }
    self.name = name
  }

  /// A topic that was checked before, for instance by the publisher whose record is being read.
  init(checked name: String) { self.name = name }

  /// Whether `bytes` are a topic. O(n).
  static func isWellFormed(_ bytes: some Collection<UInt8>) -> Bool {
    guard !bytes.isEmpty, bytes.count <= maximumLength else { return false }
    var segmentIsEmpty = true
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        segmentIsEmpty = false
      case UInt8(ascii: "."):
        if segmentIsEmpty { return false }
        segmentIsEmpty = true
      default: return false
      }
    }
    return !segmentIsEmpty
  }

  static func malformed(_ role: String, _ name: String) -> BusError {
    BusError(
      .invalidTopic,
      "\(role) \(quotedForError(name)) is malformed",
      hint: "write 1 to \(maximumLength) bytes of segments of A-Z a-z 0-9 _ - joined by single dots"
    )
  }
}

extension Topic: CustomStringConvertible {
  public var description: String { name }
}

/// What a subscription asks for: every topic that equals the prefix or continues it after a dot.
///
/// `parallel.wave-0` matches `parallel.wave-0` and `parallel.wave-0.board`, not `parallel.wave-01`.
/// The empty prefix matches every topic.
public struct TopicPrefix: Hashable, Sendable {
  /// Matches every topic.
  public static let all = TopicPrefix(checked: "")

  public let name: String

  /// - Throws: ``BusError/Code/invalidTopic`` unless `name` is empty or a topic.
  public init(_ name: String) throws(BusError) {
    guard name.isEmpty || Topic.isWellFormed(name.utf8) else {
      throw Topic.malformed("topic prefix", name)
    }
    self.name = name
  }

  private init(checked name: String) { self.name = name }

  public func matches(_ topic: Topic) -> Bool { matches(bytes: topic.name.utf8) }

  /// Whether the topic with these bytes matches. O(n).
  func matches(bytes: some Collection<UInt8>) -> Bool {
    let prefix = name.utf8
    guard !prefix.isEmpty else { return true }
    guard bytes.starts(with: prefix) else { return false }
    return bytes.count == prefix.count || bytes.dropFirst(prefix.count).first == UInt8(ascii: ".")
  }
}

extension TopicPrefix: CustomStringConvertible {
  public var description: String { name }
}

/// `name` as an error shows it: quoted, control characters escaped, no longer than a line.
func quotedForError(_ name: String) -> String {
  let shown = name.unicodeScalars.prefix(60).map { $0.escaped(asASCII: false) }.joined()
  return "\"\(shown)\(name.unicodeScalars.count > 60 ? "..." : "")\""
}
