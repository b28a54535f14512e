public import ConclaveBus

/// Where a carried note comes from: who said it first, when, in which message, and as what.
///
/// It is flat: a note that is carried on again keeps the origin that it has, so that nothing is
/// ever wrapped twice.
public struct BoardOrigin: Hashable, Sendable {
  public let id: MessageID
  public let sender: String
  public let time: Timestamp
  /// `discovery` or `warning`.
  public let kind: BoardKind

  /// What is carried from wave to wave.
  public static let kinds: [BoardKind] = [.discovery, .warning]

  /// nil for a kind that is not carried.
  public init?(id: MessageID, sender: String, time: Timestamp, kind: BoardKind) {
    guard BoardOrigin.kinds.contains(kind) else { return nil }
    self.id = id
    self.sender = sender
    self.time = time
    self.kind = kind
  }

  /// From the member `carried` of a payload; nil unless all of it is as this module writes it.
  init?(_ json: RawJSON) {
    guard let id = json.member("id")?.string.flatMap({ MessageID($0) }),
      let sender = json.member("sender")?.string, !sender.isEmpty,
      let time = json.member("timestamp")?.string.flatMap({ Timestamp(rfc3339: $0) }),
      let kind = json.member("kind")?.string.flatMap(BoardKind.init(rawValue:))
    else { return nil }
    self.init(id: id, sender: sender, time: time, kind: kind)
  }

  /// As the member `carried` of a payload.
  var json: String {
    "{\"id\":\"\(id)\",\"sender\":\(jsonText(sender)),\"timestamp\":\"\(time)\","
      + "\"kind\":\"\(kind.rawValue)\"}"
  }
}
