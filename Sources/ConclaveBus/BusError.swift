/// What went wrong on a bus, where, and what to do about it.
///
/// Every transport reports the same situation with the same ``code``; tests and callers switch on
/// the code, people read ``message`` and ``hint``.
public struct BusError: Error, Hashable, Sendable {
  /// The situation, independent of the transport.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// A topic or prefix is not one or more segments of `[A-Za-z0-9_-]` joined by `.`.
    case invalidTopic
    /// A sender, type or idempotency key is empty, too long, not UTF-8 or holds a control
    /// character; or a path cannot be a bus directory's.
    case invalidName
    /// A payload is not exactly one JSON value in valid UTF-8.
    case invalidPayload
    /// A payload is larger than the bus accepts.
    case messageTooLarge
    /// The bus or the subscription was closed.
    case closed
    /// A subscription with back pressure made no room within its time-out. Nothing was published.
    case backPressureTimedOut
    /// The messages are on the bus, but it could not be made sure that they are in the files, or on
    /// the disk, as their publisher asked.
    case notDurable
    /// The bus was opened before a `fork`, and this is the child.
    case forked
    /// All lanes (publishers) or all rows (subscriptions) of the segment are taken by live
    /// processes.
    case exhausted
    /// No room on the file system or in shared memory.
    case noSpace
    /// The operating system refused access, or the thing belongs to somebody else.
    case permissionDenied
    /// There is no such bus, message or file.
    case notFound
    /// Somebody alive is in the way.
    case busy
    /// Shared memory or a file was made by another version, boot or owner.
    case incompatible
    /// Shared memory or a file holds something that no well-behaved participant wrote.
    case corrupt
    /// The transport cannot do this.
    case unsupported
    /// Any other failure of a system call.
    case system
  }

  public let code: Code
  /// What failed, and where: one sentence without a final full stop.
  public let message: String
  /// What to do about it: one sentence without a final full stop, or empty.
  public let hint: String

  public init(_ code: Code, _ message: String, hint: String = "") {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

extension BusError: CustomStringConvertible {
  public var description: String { hint.isEmpty ? message : "\(message); \(hint)" }
}

extension BusError {
  /// The same in every transport: both sizes in bytes.
  static func payloadTooLarge(_ count: Int, limit: Int) -> BusError {
    BusError(
      .messageTooLarge, "a payload of \(count) bytes is larger than the bus's limit of \(limit)",
      hint: "split it, or publish the name of a file that holds it")
  }
}
