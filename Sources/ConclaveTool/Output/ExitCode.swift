import ConclaveBus

/// How the command ended, by meaning: scripts branch on these numbers, so they never change.
enum ExitCode: Int32, CaseIterable {
  case success = 0
  case negative = 1
  case usage = 2
  case notFound = 3
  case timedOut = 4
  case conflict = 5
  case degraded = 6
  case permission = 7
  case resource = 8
  case blocked = 9
  case failure = 70
  case interrupted = 130
  case outputClosed = 141
  case terminated = 143

  /// The line of the table in the help and the README.
  var meaning: String {
    switch self {
    case .success: "success"
    case .negative: "it ran, and the result is negative"
    case .usage: "wrong use: bad option, topic, name or payload"
    case .notFound: "not found: no such bus or message"
    case .timedOut: "timeout: nothing arrived, or no room was made in time"
    case .conflict: "conflict: somebody alive, or another version, is in the way"
    case .degraded: "degraded: damaged data, or with --strict messages were lost"
    case .permission: "permission denied, or wrong owner"
    case .resource: "out of room: disk, shared memory, lanes or subscriptions"
    case .blocked: "blocked: an agent needs a person"
    case .failure: "internal error, or the system failed"
    case .interrupted: "ended by SIGINT"
    case .outputClosed: "standard output was closed (as by SIGPIPE)"
    case .terminated: "ended by SIGTERM"
    }
  }

  /// Where every error of the library gets its exit code.
  init(_ code: BusError.Code) {
    self =
      switch code {
      case .invalidTopic, .invalidName, .invalidPayload, .messageTooLarge, .unsupported: .usage
      case .notFound: .notFound
      case .backPressureTimedOut: .timedOut
      case .busy, .incompatible: .conflict
      case .corrupt, .notDurable: .degraded
      case .permissionDenied: .permission
      case .exhausted, .noSpace: .resource
      case .closed, .forked, .system: .failure
      }
  }
}
