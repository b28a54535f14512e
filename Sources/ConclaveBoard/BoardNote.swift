public import ConclaveBus

/// What is posted on a board. Its payload is `{"text": ...}`; the other members are there only when
/// they say something:
/// - `expires`: until when an intent counts, RFC 3339;
/// - `provisional`: true for what was said by an attempt that failed;
/// - `carried`: the ``BoardOrigin`` of what a wave before this one knew.
public struct BoardNote: Hashable, Sendable {
  /// The greatest length of ``text`` in bytes. A note is a sentence or two; what is longer belongs
  /// into a file that the note names.
  public static let maximumTextLength = 4096

  public let kind: BoardKind
  /// As it was written, without the white space around it.
  public let text: String
  /// Until when an intent counts; nil: see ``BoardItem/usualIntentLifetime``.
  public let expires: Timestamp?
  /// Whether it was said by an attempt that failed.
  public let isProvisional: Bool
  /// Where it was carried from.
  public let origin: BoardOrigin?

  /// - Parameter expires: only intents expire; ignored for other kinds.
  /// - Throws: `invalidPayload` when nothing is left of `text` without white space and control
  ///   characters; `messageTooLarge` when it is longer than ``maximumTextLength``.
  public init(
    _ kind: BoardKind, _ text: String, expires: Timestamp? = nil, isProvisional: Bool = false
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
    self.kind = kind
    self.text = text
    self.expires = kind == .intent ? expires : nil
    self.isProvisional = isProvisional
    origin = nil
  }

  /// What an earlier wave said, for the next one.
  init(carrying item: BoardItem, from origin: BoardOrigin) {
    kind = .context
    text = item.text
    expires = nil
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
    if let expires { members.append("\"expires\":\"\(expires)\"") }
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
