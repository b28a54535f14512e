import ConclaveBus

/// What happens while the mirror cannot write, in the command's words.
enum FailureWord: String, CaseIterable {
  case block, fail
  case goOn = "continue"

  var policy: MirrorOptions.FailurePolicy {
    switch self {
    case .block: .block
    case .fail: .fail
    case .goOn: .continueUnmirrored
    }
  }
}

extension Option {
  /// Of a publisher. The command that only mirrors says its own.
  static let whenFailing = Option(
    "when-failing", value: "block|fail|continue",
    "while the mirror cannot write the topic: block (the default), a publish waits, with "
      + "--durability for its file and else for room once the ring is full; fail, it publishes "
      + "nothing; continue, it waits for no file, and the mirror may give the message up when room "
      + "gets short; makes mirror the default transport")
  static let patience = Option(
    "patience", value: "TIME",
    "how long to wait at most for what --durability promises, and for room that the mirror has to "
      + "make; default 10s; makes mirror the default transport")
}

extension Arguments {
  /// The mirrored bus's part of what a publisher says; nothing that makes no sense with the
  /// transport that was chosen.
  func failureSettings(_ settings: BusSettings) throws(ToolError) -> BusSettings {
    var settings = settings
    settings.whenFailing = try word(.whenFailing, of: FailureWord.self)?.policy
    settings.patience = try duration(.patience)
    let transport = try word(.transport, of: Transport.self)
    for option in [Option.whenFailing, .patience] where has(option) {
      guard transport == nil || transport == .mirror else {
        throw usageError(
          "--\(option.long) means nothing without the mirror",
          hint: "use --transport mirror, or leave --\(option.long) out")
      }
    }
    return settings
  }
}
