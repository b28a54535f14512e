import ConclaveBus

/// A point in the history of a bus, as it is written on the command line: a message's id, an
/// RFC 3339 time, or a minus sign and how long ago.
enum Moment: Equatable {
  case message(MessageID)
  case time(Timestamp)

  static let form =
    "a message's id, a time such as 2026-11-21T09:05:00Z, or -10m for 10 minutes ago"

  init?(_ text: String, now: Timestamp = .now()) {
    if let id = MessageID(text) {
      self = .message(id)
    } else if let time = Timestamp(rfc3339: text) {
      self = .time(time)
    } else if text.hasPrefix("-"), let ago = parseDuration(String(text.dropFirst())) {
      let nanoseconds = now.nanosecondsSinceEpoch
      let distance = UInt64(ago / .nanoseconds(1))
      self = .time(Timestamp(nanosecondsSinceEpoch: nanoseconds - min(nanoseconds, distance)))
    } else {
      return nil
    }
  }

  /// A subscription that begins there.
  var start: SubscriptionOptions.Start {
    switch self {
    case .message(let id): .after(id)
    case .time(let time): .since(time)
    }
  }
}

extension Option {
  static let from = Option(
    "from", value: "now|beginning|ID|TIME",
    "where to begin: with what is published from now on (the default), with the oldest message "
      + "that is left, behind the message with this id, or with the first of this time or later")
}

extension Arguments {
  /// Where a subscription begins, if that is said.
  func start() throws(ToolError) -> SubscriptionOptions.Start? {
    try value(.from, form: "now, beginning, \(Moment.form)") { text in
      switch text {
      case "now": .now
      case "beginning": .beginning
      default: Moment(text).map(\.start)
      }
    }
  }
}
