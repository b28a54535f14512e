/// The name of a session, under which its buses are found in the archive: 1 to 64 bytes of
/// `[A-Za-z0-9_-]`, the first no hyphen.
public struct SessionName: Hashable, Sendable {
  /// The greatest length in bytes.
  public static let maximumLength = 64

  public let text: String

  /// - Throws: ``BusError/Code/invalidName``.
  public init(_ text: String) throws(BusError) {
    guard SessionName.isWellFormed(text) else {
      throw BusError(
        .invalidName, "the name of a session, \(quotedForError(text)), is malformed",
        hint: "write 1 to \(SessionName.maximumLength) bytes of A-Z a-z 0-9 _ - that do not begin "
          + "with a hyphen")
    }
    self.text = text
  }

  /// For what is known to be well formed.
  init(checked text: String) { self.text = text }

  /// A name of the time and the calling process: no other process of this host gives itself the
  /// same.
  public static func new() -> SessionName {
    named("", at: .now())
  }

  /// The name of what left none behind.
  static func unknown(_ time: Timestamp) -> SessionName { named("unknown-", at: time) }

  private static func named(_ prefix: String, at time: Timestamp) -> SessionName {
    let digits = time.description.filter(\.isNumber)
    let (day, second) = (digits.prefix(8), digits.dropFirst(8).prefix(6))
    return SessionName(checked: "\(prefix)\(day)T\(second)-\(ProcessIdentity.pid)")
  }

  static func isWellFormed(_ text: String) -> Bool {
    let bytes = text.utf8
    return bytes.count <= maximumLength && bytes.first != UInt8(ascii: "-")
      && !bytes.contains(UInt8(ascii: ".")) && Topic.isWellFormed(bytes)
  }
}

extension SessionName: CustomStringConvertible {
  public var description: String { text }
}
