public import ConclaveBus

/// What is posted on a board. Its payload is `{"text": ...}`; the other members are there only when
/// they say something:
/// - `expires`: until when it counts, RFC 3339;
/// - `about`, `to`, `source`: see ``BoardScope``;
/// - `provisional`: true for what was said by an attempt that failed;
/// - `carried`: the ``BoardOrigin`` of what a wave before this one knew.
public struct BoardNote: Hashable, Sendable {
  /// The greatest length of ``text`` in bytes. A note is a sentence or two; what is longer belongs
  /// into a file that the note names.
  public static let maximumTextLength = 4096

  public let kind: BoardKind
  /// As it was written, without the white space around it.
  public let text: String
  public let scope: BoardScope
  /// Whether it was said by an attempt that failed.
  public let isProvisional: Bool
  /// Where it was carried from.
  public let origin: BoardOrigin?

  /// - Throws: `invalidPayload` when nothing is left of `text` without white space and control
  ///   characters, or a name in `scope` is empty or too long; `messageTooLarge` when `text` is
  ///   longer than ``maximumTextLength``.
  public init(
    _ kind: BoardKind, _ text: String, isProvisional: Bool = false,
    scope: BoardScope = BoardScope()
  ) throws(BusError) {
    let text = BoardText.trimmed(text)
    guard !BoardText.line(text).isEmpty else {
      throw BusError(
        .invalidPayload, "a board note needs a text", hint: "say in a sentence what others need")
    }
    guard text.utf8.count <= BoardNote.maximumTextLength else {
      throw BusError(
        .messageTooLarge,
        "a board note of \(text.utf8.count) bytes is longer than \(BoardNote.maximumTextLength)",
        hint: "say it in a sentence or two, and name a file that holds the rest")
    }
    guard [scope.about, scope.recipient].allSatisfy({ $0.map(BoardScope.isName) ?? true }) else {
      throw BusError(
        .invalidPayload, "what a board note is about, and for whom it is, must have a short name",
        hint: "use 1 to \(BoardScope.longestName) bytes")
    }
    self.kind = kind
    self.text = text
    self.scope = scope
    self.isProvisional = isProvisional
    origin = nil
  }

  /// What an earlier wave said, for the next one.
  init(carrying item: BoardItem, from origin: BoardOrigin) {
    kind = .context
    text = item.text
    scope = BoardScope()
    isProvisional = item.isProvisional
    self.origin = origin
  }

  /// The message to publish.
  ///
  /// - Throws: `invalidPayload`, which cannot happen with a text that is a string.
  func message(from sender: String) throws(BusError) -> Message {
    Message(type: kind.type, sender: sender, payload: try payload())
  }

  func payload() throws(BusError) -> RawJSON {
    var members = ["\"text\":\(jsonText(text))"]
    members += scope.members
    if isProvisional { members.append("\"provisional\":true") }
    if let origin { members.append("\"carried\":\(origin.json)") }
    return try RawJSON("{\(members.joined(separator: ","))}")
  }
}

/// `text` as a JSON string.
func jsonText(_ text: String) -> String {
  // The one place that knows the escapes is the bus's; what it makes is {"text":...}.
  let object = RawJSON.text(text).description
  return String(object.dropFirst(#"{"text":"#.count).dropLast())
}
