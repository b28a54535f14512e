public import ConclaveBus

/// A note as it was found on a board. Everything in it is what somebody claimed.
public struct BoardItem: Hashable, Sendable {
  /// How long an intent counts whose sender did not say. Longer than an iteration of a loop usually
  /// takes, so that the others see it at the beginning of their next one.
  public static let usualIntentLifetime = Duration.seconds(30 * 60)
  /// However long its sender said, a note that has an end counts no longer.
  public static let longestLifetime = Duration.seconds(24 * 3600)

  /// The message in which it was said first: the same in every wave that it is carried to.
  public let id: MessageID
  /// Who said it first.
  public let sender: String
  /// When it was said first, by the sender's clock.
  public let time: Timestamp
  /// What it is; of a carried note, what it was when it was said first.
  public let kind: BoardKind
  /// At most ``BoardNote/maximumTextLength`` bytes; never empty.
  public let text: String
  /// For whom and how long it counts; of an intent ``BoardScope/expires`` is never nil.
  public let scope: BoardScope
  /// Whether an attempt said it that failed.
  public let isProvisional: Bool
  /// Who carried it here from the wave before, or nil.
  public let carriedBy: String?

  public init(
    id: MessageID, sender: String, time: Timestamp, kind: BoardKind, text: String,
    scope: BoardScope = BoardScope(), isProvisional: Bool = false, carriedBy: String? = nil
  ) {
    self.id = id
    self.sender = sender
    self.time = time
    self.kind = kind
    self.text = BoardText.cut(text, toBytes: BoardNote.maximumTextLength)
    var scope = scope
    let usual = kind == .intent ? time.advanced(by: BoardItem.usualIntentLifetime) : nil
    scope.expires = scope.expires.map { min($0, time.advanced(by: BoardItem.longestLifetime)) }
    scope.expires = scope.expires ?? usual
    self.scope = scope
    self.isProvisional = isProvisional
    self.carriedBy = carriedBy
  }

  /// The note in a message, or nil when the message is none: another type, or a payload that is not
  /// `{"text": string, ...}` with some text in it. What else the payload holds and is not
  /// understood is passed over.
  public init?(_ envelope: Envelope) {
    guard let kind = BoardKind(type: envelope.type),
      let text = envelope.payload.member("text")?.string, !BoardText.line(text).isEmpty
    else { return nil }
    let origin =
      kind == .context ? envelope.payload.member("carried").flatMap(BoardOrigin.init) : nil
    self.init(
      id: origin?.id ?? envelope.id, sender: origin?.sender ?? envelope.sender,
      time: origin?.time ?? envelope.timestamp, kind: origin?.kind ?? kind,
      text: BoardText.trimmed(text),
      scope: origin == nil ? BoardScope(envelope.payload) : BoardScope(),
      isProvisional: envelope.payload.member("provisional")?.boolean ?? false,
      carriedBy: origin == nil ? nil : envelope.sender)
  }

  /// Until when it counts, or nil for good.
  public var expires: Timestamp? { scope.expires }

  public func hasExpired(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
}

extension Timestamp {
  /// Later by so much; the end of time at most.
  func advanced(by duration: Duration) -> Timestamp {
    let distance = UInt64(max(0, min(duration / .nanoseconds(1), 1e18)))
    let (sum, overflow) = nanosecondsSinceEpoch.addingReportingOverflow(distance)
    return Timestamp(nanosecondsSinceEpoch: overflow ? .max : sum)
  }
}
