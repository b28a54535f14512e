/// What a publisher hands to a bus: who says what kind of thing.
public struct Message: Hashable, Sendable {
  /// The greatest length of ``type`` and of ``sender`` in bytes.
  public static let maximumNameLength = 200

  /// The kind of message, for instance `board.discovery`: 1 to 200 bytes of UTF-8 without control
  /// characters. Checked when published.
  public var type: String
  /// Who speaks, for instance `task-3`: same form as ``type``. A claim, not a proof.
  public var sender: String
  /// One JSON value, carried byte for byte.
  public var payload: RawJSON
  /// With a key, this is published once: see ``IdempotencyKey``. `SharedMemoryBus` refuses it with
  /// `unsupported`.
  public var idempotencyKey: IdempotencyKey?

  public init(
    type: String, sender: String, payload: RawJSON, idempotencyKey: IdempotencyKey? = nil
  ) {
    self.type = type
    self.sender = sender
    self.payload = payload
    self.idempotencyKey = idempotencyKey
  }

  /// - Throws: ``BusError/Code/unsupported`` for a message with an idempotency key, on a transport
  ///   that cannot remember it.
  static func checkHasNoKey(_ message: Message) throws(BusError) {
    guard message.idempotencyKey != nil else { return }
    throw BusError(
      .unsupported, "shared memory alone cannot remember an idempotency key",
      hint: "use the mirrored bus or FileBus, or publish without a key")
  }

  /// - Throws: ``BusError/Code/invalidName``.
  static func checkName(_ name: String, role: String) throws(BusError) {
    guard isWellFormedName(name.utf8) else {
      throw BusError(
        .invalidName, "\(role) \(quotedForError(name)) is malformed",
        hint: "write 1 to \(maximumNameLength) bytes without control characters")
    }
  }

  /// Whether `bytes` may be a sender or a type. O(n).
  static func isWellFormedName(_ bytes: some Collection<UInt8>) -> Bool {
    (1...maximumNameLength).contains(bytes.count)
      && !bytes.contains { $0 < 0x20 || $0 == 0x7F }
  }
}
