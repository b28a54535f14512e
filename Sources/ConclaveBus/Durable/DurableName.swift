/// The name of a durable subscription: segments of `[A-Za-z0-9_-]` joined by `.`, 1 to 100 bytes.
///
/// It becomes the name of a file and part of the topic `dead-letter.{name}`.
public struct DurableName: Hashable, Sendable {
  /// The greatest length in bytes.
  public static let maximumLength = 100

  public let text: String

  /// - Throws: ``BusError/Code/invalidName``.
  public init(_ text: String) throws(BusError) {
    guard text.utf8.count <= DurableName.maximumLength, Topic.isWellFormed(text.utf8) else {
      throw BusError(
        .invalidName, "the name of a durable subscription, \(quotedForError(text)), is malformed",
        hint: "write 1 to \(DurableName.maximumLength) bytes of segments of A-Z a-z 0-9 _ - joined "
          + "by single dots")
    }
    self.text = text
  }

  /// Where messages go that were given up.
  public var deadLetters: Topic { Topic(checked: "dead-letter.\(text)") }
}

extension DurableName: CustomStringConvertible {
  public var description: String { text }
}
