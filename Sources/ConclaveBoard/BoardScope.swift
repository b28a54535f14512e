public import ConclaveBus

/// For whom and for how long a note counts, beyond what its kind says.
public struct BoardScope: Hashable, Sendable {
  /// The greatest length of ``about`` and ``recipient`` in bytes.
  public static let longestName = 256

  /// Until when the note counts. An intent without one counts ``BoardItem/usualIntentLifetime``,
  /// every other note for good. What has an end is not handed over to the next wave.
  public var expires: Timestamp?
  /// What it is about, by a name of the sender's choice: of all notes that a sender posts about the
  /// same to the same recipient, the last alone counts. So a note can be replaced, and withdrawn by
  /// one that has expired.
  public var about: String?
  /// The only task that is shown it, or nil for all.
  public var recipient: String?
  /// Whether it was seen by who runs the tasks, and not said by its sender.
  public var isObserved: Bool

  public init(
    expires: Timestamp? = nil, about: String? = nil, recipient: String? = nil,
    isObserved: Bool = false
  ) {
    self.expires = expires
    self.about = about
    self.recipient = recipient
    self.isObserved = isObserved
  }

  /// From the members of a payload; what is not understood is passed over.
  init(_ payload: RawJSON) {
    func name(_ key: String) -> String? {
      payload.member(key)?.string.flatMap { BoardScope.isName($0) ? $0 : nil }
    }
    self.init(
      expires: payload.member("expires")?.string.flatMap { Timestamp(rfc3339: $0) },
      about: name("about"), recipient: name("to"),
      isObserved: payload.member("source")?.string == BoardScope.observed)
  }

  /// As members of a payload.
  var members: [String] {
    var members: [String] = []
    if let expires { members.append("\"expires\":\"\(expires)\"") }
    if let about { members.append("\"about\":\(jsonText(about))") }
    if let recipient { members.append("\"to\":\(jsonText(recipient))") }
    if isObserved { members.append("\"source\":\"\(BoardScope.observed)\"") }
    return members
  }

  private static let observed = "observed"

  static func isName(_ text: String) -> Bool { (1...longestName).contains(text.utf8.count) }
}
