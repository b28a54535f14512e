/// What makes a message one that is published once: a second publish with the same key on the same
/// topic, within the bus's window, is acknowledged and not delivered again.
///
/// The publisher chooses it so that a repeated attempt has the same key and another message has
/// another: the id of an order, of a request, of a task's step.
public struct IdempotencyKey: Hashable, Sendable {
  /// The greatest length in bytes.
  public static let maximumLength = 200

  public let text: String

  /// - Throws: ``BusError/Code/invalidName`` unless `text` is 1 to 200 bytes of UTF-8 without
  ///   control characters.
  public init(_ text: String) throws(BusError) {
    try Message.checkName(text, role: "idempotency key")
    self.text = text
  }

  /// A key that was checked before, for instance by whoever reads a line.
  init(checked text: String) { self.text = text }
}

extension IdempotencyKey: CustomStringConvertible {
  public var description: String { text }
}
