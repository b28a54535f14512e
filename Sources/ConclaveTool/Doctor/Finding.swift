import ConclaveBus

/// What one look at the host or the bus has shown.
struct Finding {
  /// How bad it is. The greatest of all findings decides the exit code.
  enum Severity: Int {
    /// As it should be.
    case ok
    /// Good to know.
    case note
    /// It works, and may not for long, or something is left over.
    case warning
    /// Something does not work.
    case error

    var name: String {
      switch self {
      case .ok: "ok"
      case .note: "note"
      case .warning: "warning"
      case .error: "error"
      }
    }
  }

  /// Removes what was found to be left over; says what it has done.
  typealias Cure = () throws -> String

  let severity: Severity
  /// What was looked at, in one or two words.
  let subject: String
  /// One sentence without a final full stop.
  let message: String
  /// What to do: likewise; empty when there is nothing to do.
  let hint: String
  /// What `--fix` does about it; nil when that is a person's to decide.
  var cure: Cure?
  /// The processes that it is about.
  var processes: [Int32] = []

  /// The same, which could not be cured.
  func failing(_ error: ToolError) -> Finding {
    var other = Finding(
      severity: severity, subject: subject, message: "\(message); \(error.message)",
      hint: error.hint)
    other.processes = processes
    return other
  }

  static func ok(_ subject: String, _ message: String) -> Finding {
    Finding(severity: .ok, subject: subject, message: message, hint: "")
  }

  static func note(_ subject: String, _ message: String, hint: String) -> Finding {
    Finding(severity: .note, subject: subject, message: message, hint: hint)
  }

  static func warning(
    _ subject: String, _ message: String, hint: String, cure: Cure? = nil
  ) -> Finding {
    Finding(severity: .warning, subject: subject, message: message, hint: hint, cure: cure)
  }

  static func error(_ subject: String, _ message: String, hint: String) -> Finding {
    Finding(severity: .error, subject: subject, message: message, hint: hint)
  }

  static func error(_ subject: String, _ error: BusError) -> Finding {
    .error(subject, error.message, hint: error.hint)
  }
}
