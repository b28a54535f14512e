import ConclaveBus

/// An error as the command reports it: one line, or with `--json` one object.
struct ToolError: Error {
  let exit: ExitCode
  /// The word that scripts switch on: `usage`, or a code of `BusError`.
  let code: String
  /// What went wrong, where: one sentence without a final full stop.
  let message: String
  /// What to do about it: one sentence without a final full stop, or empty.
  let hint: String
  /// How many messages were published before, where that is a question.
  private var published: Int?
  /// How many more are on the bus, but not known to be as durable as was asked for.
  private var unconfirmed: Int?

  init(_ exit: ExitCode, code: String, _ message: String, hint: String = "") {
    self.exit = exit
    self.code = code
    self.message = message
    self.hint = hint
  }

  init(_ error: BusError) {
    self.init(
      ExitCode(error.code), code: error.code.rawValue, error.message, hint: error.hint)
  }

  /// Whatever a command threw.
  init(any error: any Error) {
    switch error {
    case let error as ToolError: self = error
    case let error as BusError: self.init(error)
    case let error as PublishFailure: self = ToolError(error.cause).with(published: error.published)
    default: self.init(.failure, code: "internal", "unexpected error: \(error)")
    }
  }

  /// The same error, saying that `published` messages are on the bus all the same.
  func with(published: Int, unconfirmed: Int? = nil) -> ToolError {
    var copy = self
    copy.published = published
    copy.unconfirmed = unconfirmed
    return copy
  }

  /// `conclave: what; what to do`, always exactly one line.
  var line: String {
    let open = unconfirmed.map { $0 > 0 ? ", not confirmed: \($0)" : "" } ?? ""
    let done = published.map { " (published before: \($0)\(open))" } ?? ""
    let text = message + done + (hint.isEmpty ? "" : "; \(hint)")
    let printable = text.unicodeScalars.map { scalar in
      scalar.value < 0x20 || scalar.value == 0x7F ? scalar.escaped(asASCII: true) : "\(scalar)"
    }
    return "conclave: \(printable.joined())\n"
  }

  /// `{"error":{"code":...,"message":...,"hint":...}}`.
  var json: String {
    var object = JSONObject()
    object.add("code", code)
    object.add("message", message)
    object.add("hint", hint)
    if let published { object.add("published", published) }
    if let unconfirmed { object.add("unconfirmed", unconfirmed) }
    return JSONObject.line("error", object)
  }
}

/// A mistake on the command line.
func usageError(_ message: String, hint: String) -> ToolError {
  ToolError(.usage, code: "usage", message, hint: hint)
}

/// `text` as an error shows it: quoted, control characters escaped, not longer than a line.
func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(60).map { $0.escaped(asASCII: false) }.joined()
  return "\"\(shown)\(text.unicodeScalars.count > 60 ? "..." : "")\""
}
