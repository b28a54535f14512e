import ConclaveBus

/// `conclave bus archive`: what ended sessions have left to be read.
enum ArchiveCommand: Command {
  static let usage = Usage(
    "bus archive", "list the bus directories that ended sessions have left",
    details: """
      A command that runs tasks has a bus directory of its own while it lasts. When it
      ends, or the next one finds that it was killed, the directory is moved to
      .conclave/archive/SESSION; the five newest sessions are kept. What is printed is
      a bus directory to be read: conclave bus replay --bus-dir PATH.
      """,
    options: Option.place,
    examples: [
      Example("what is there?", "conclave bus archive"),
      Example(
        "read what was said in one of them",
        "conclave bus replay --bus-dir .conclave/archive/run-7/wave-0"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let archive = SessionArchive(of: try arguments.busLocation().path)
    let sessions = try archive.sessions()
    if console.json {
      try console.output.write(json(archive, sessions).text + "\n")
    } else {
      try console.output.write(text(sessions))
      if sessions.isEmpty { console.notes.say("no session has left anything in \(archive.path)") }
    }
    return .success
  }

  private static func text(_ sessions: [ArchivedSession]) -> String {
    var table = TextTable([
      ("SESSION", .left), ("BEGAN", .left), ("BYTES", .right), ("PATH", .left),
    ])
    for session in sessions {
      for bus in session.buses {
        table.add(session.name.text, "\(bus.began)", "\(bus.bytes)", bus.path)
      }
    }
    return table.text
  }

  private static func json(
    _ archive: SessionArchive, _ sessions: [ArchivedSession]
  ) -> JSONObject {
    var object = JSONObject()
    object.add("path", archive.path)
    object.add(
      "sessions",
      sessions.map { session in
        var entry = JSONObject()
        entry.add("session", session.name.text)
        entry.add("path", session.path)
        entry.add("buses", session.buses.map(json))
        return entry
      })
    return object
  }

  private static func json(_ bus: ArchivedSession.Bus) -> JSONObject {
    var object = JSONObject()
    object.add("path", bus.path)
    object.add("began", "\(bus.began)")
    object.add("bytes", bus.bytes)
    if let owner = bus.owner {
      object.add("process", owner.process)
      object.add("host", owner.host)
    } else {
      object.addNull("process")
      object.addNull("host")
    }
    return object
  }
}
