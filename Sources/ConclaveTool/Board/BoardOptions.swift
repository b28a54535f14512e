import ConclaveBoard
import ConclaveBus
import Glibc

/// Options that the commands of the group `board` share.
extension Option {
  static let boardTopic = Option(
    "topic", value: "TOPIC",
    "the board; default \(Board.usualTopic), of a wave of parallel tasks parallel.wave-N.board")
  static let boardTransport = Option(
    "transport", value: "shm|file|mirror", environment: "BUS_TRANSPORT",
    "shared memory with the topic files as its mirror (mirror, the default), or one of them alone")
  static let boardKind = Option(
    "kind", value: "KIND", "only discovery, warning, intent or context")
  static let boardSince = Option(
    "since", value: "TIME",
    "only what was said at this time or later, such as 2026-11-21T09:05:00Z, or -10m for ten "
      + "minutes ago")
}

extension Arguments {
  func boardTopic() throws(BusError) -> Topic {
    try Topic(text(.boardTopic) ?? Board.usualTopic)
  }

  func boardKind() throws(ToolError) -> BoardKind? { try word(.boardKind, of: BoardKind.self) }

  func boardSince() throws(ToolError) -> Timestamp? {
    try value(.boardSince, form: "a time such as 2026-11-21T09:05:00Z, or -10m") { text in
      if case .time(let time)? = Moment(text) { time } else { nil }
    }
  }

  /// The bus that is named, and its board; made if need be.
  func openBoard(_ console: Console) throws -> Board {
    let topic = try boardTopic()
    let chosen = try word(.boardTransport, of: Transport.self)
    let bus = try Transport.openBoard(chosen, busDirectory(create: true), console.notes) {
      console.notes.warn("noSharedMemory", $0)
    }.bus
    return Board(on: bus, topic: topic)
  }
}

extension Timestamp {
  /// - Parameter duration: not negative, at most some days.
  func later(by duration: Duration) -> Timestamp {
    let distance = UInt64(duration / .nanoseconds(1))
    return Timestamp(nanosecondsSinceEpoch: nanosecondsSinceEpoch &+ distance)
  }
}

/// Who speaks when nobody says so.
func loginName() -> String { environmentVariable("USER") ?? "uid-\(geteuid())" }

/// Says on standard error what a reader of a board missed, each once.
struct BoardWatchdog {
  let notes: Notes
  private var lost: UInt64 = 0
  private var skipped: UInt64 = 0

  init(_ notes: Notes) { self.notes = notes }

  mutating func look(at reader: BoardReader) {
    let (nowLost, nowSkipped) = (reader.lost, reader.skipped)
    if nowLost > lost { notes.warn("lost", "\(messages(nowLost - lost)) of the board lost") }
    if nowSkipped > skipped {
      notes.warn(
        "skipped", "skipped \(messages(nowSkipped - skipped)) on the board that are no notes")
    }
    (lost, skipped) = (nowLost, nowSkipped)
  }

  private func messages(_ count: UInt64) -> String {
    count == 1 ? "1 message" : "\(count) messages"
  }
}

extension BoardItem {
  /// For `--json`: the text as it was said.
  var json: JSONObject {
    var object = JSONObject()
    object.add("id", id.description)
    object.add("sender", sender)
    object.add("timestamp", time.description)
    object.add("kind", kind.rawValue)
    object.add("text", text)
    object.add("provisional", isProvisional)
    if let expires { object.add("expires", expires.description) }
    if let about = scope.about { object.add("about", about) }
    if let recipient = scope.recipient { object.add("to", recipient) }
    if scope.isObserved { object.add("source", "observed") }
    if let carriedBy { object.add("carriedBy", carriedBy) }
    return object
  }
}
