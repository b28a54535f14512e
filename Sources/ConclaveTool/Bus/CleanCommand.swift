import ConclaveBus
import Glibc

/// `conclave bus clean`: removes what dead participants left behind.
enum CleanCommand: Command {
  private static let yes = Option("yes", short: "y", "do not ask, on a terminal")
  private static let dryRun = Option(
    "dry-run", short: "n", "only say what would be removed")
  private static let purgeStale = Option(
    "purge-stale",
    "remove only the directories of sessions whose process is dead, this one and those in it, "
      + "instead of leaving them to be archived")

  static let usage = Usage(
    "bus clean", "remove a bus whose participants are all dead",
    details: """
      Removes the shared-memory segment and the topic files, and says so; with them the
      idempotency keys, the durable subscriptions and the mirror's state are forgotten,
      and positions begin with 0 again. Nothing else in the directory is touched. While
      anybody takes part nothing is removed, and the command ends with exit code 5.
      Messages in topic files are gone for good. While a session has the directory,
      whatever it is doing, it is not cleaned.
      """,
    options: [yes, dryRun, purgeStale] + Option.place,
    examples: [
      Example("see what is there to remove", "conclave bus clean --dry-run"),
      Example("remove it without a question", "conclave bus clean --yes"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let directory = try arguments.busDirectory(create: false)
    if arguments.has(purgeStale) { return try purge(directory, arguments, console) }
    try refuseSession(directory)
    // All of the bus is looked at before any of it is removed.
    let segment = try idleSegment(of: directory)
    try FileBus.checkUnused(directory)
    let found = Removal(
      segment: segment, files: try FileBus.status(of: directory).flatMap(\.files),
      state: try FileBus.remains(of: directory))
    let isDry = arguments.has(dryRun)
    if !isDry, !found.isEmpty {
      if !arguments.has(yes) { try confirm(found.text(isDry: true), console) }
      // Both refuse once more, each under its own lock, should somebody have come meanwhile.
      _ = try SharedMemoryBus.clean(directory)
      _ = try FileBus.clean(directory)
    }
    try console.output.write(
      console.json ? found.json(isDry: isDry).text + "\n" : found.text(isDry: isDry))
    return .success
  }

  private static func refuseSession(_ directory: BusDirectory) throws(BusError) {
    guard let (owner, isLive) = try BusSession.owner(of: directory), isLive else { return }
    let who = owner.map { "session \($0.session) of process \($0.process)" } ?? "a session"
    throw BusError(
      .busy, "the bus directory is taken by \(who)", hint: "it cleans up when it ends")
  }

  private static func purge(
    _ directory: BusDirectory, _ arguments: Arguments, _ console: Console
  ) throws -> ExitCode {
    let stale = try BusSession.staleDirectories(in: directory)
    let found = Removal(segment: nil, files: stale.map(\.path), state: [])
    let isDry = arguments.has(dryRun)
    if !isDry, !found.isEmpty {
      if !arguments.has(yes) { try confirm(found.text(isDry: true), console) }
      for directory in stale { try BusSession.clear(directory, .purge) }
    }
    try console.output.write(
      console.json ? found.json(isDry: isDry).text + "\n" : found.text(isDry: isDry))
    return .success
  }

  /// The path of the segment, or nil where there is none.
  ///
  /// - Throws: `busy`, naming who takes part.
  private static func idleSegment(of directory: BusDirectory) throws(BusError) -> String? {
    do throws(BusError) {
      guard let segment = try SharedMemoryBus.status(of: directory) else { return nil }
      try refuseIfAlive(segment)
      return segment.path
    } catch {
      // What another version or a crash left behind cannot be looked into, but can be removed.
      guard error.code == .incompatible || error.code == .corrupt else { throw error }
      return SharedMemoryBus.segmentPath(of: directory)
    }
  }

  private static func refuseIfAlive(_ segment: SharedMemoryStatus) throws(BusError) {
    let lanes = segment.lanes.filter(\.isLive).map(\.process)
    let rows = segment.subscribers.filter { $0.isLive && !$0.isMirror }.map(\.process)
    let mirrors = segment.subscribers.filter { $0.isLive && $0.isMirror }.map(\.process)
    guard !lanes.isEmpty || !rows.isEmpty || !mirrors.isEmpty else { return }
    let processes = ParticipantNumbers(of: segment.path).names(lanes + rows + mirrors)
    let users = [counted(lanes.count, "publisher"), counted(rows.count, "subscriber")]
    throw BusError(
      .busy,
      "the bus is in use by "
        + (mirrors.isEmpty
          ? users.joined(separator: " and ") : users.joined(separator: ", ") + " and its mirror"),
      hint: "end them first: process \(processes)")
  }

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(count == 0 ? "no" : String(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  /// Asks, where there is somebody to answer. A script that calls this means it.
  private static func confirm(_ found: String, _ console: Console) throws(ToolError) {
    guard Input.isTerminal, console.notes.isWatched else { return }
    console.notes.ask(found + "Remove it for good? [y/N] ")
    let answer = readLine() ?? ""
    guard ["y", "yes"].contains(answer.lowercased()) else {
      throw ToolError(
        .negative, code: "declined", "nothing was removed", hint: "answer y, or use --yes")
    }
  }
}

/// What is removed, or would be.
private struct Removal {
  let segment: String?
  let files: [String]
  /// What is remembered beside the messages.
  let state: [String]

  var isEmpty: Bool { segment == nil && files.isEmpty && state.isEmpty }

  func text(isDry: Bool) -> String {
    guard !isEmpty else { return "nothing to remove\n" }
    let paths = (segment.map { [$0] } ?? []) + files + state
    return paths.map { "\(isDry ? "would remove" : "removed") \($0)\n" }.joined()
  }

  func json(isDry: Bool) -> JSONObject {
    var object = JSONObject()
    object.add("dryRun", isDry)
    if let segment { object.add("segment", segment) } else { object.addNull("segment") }
    object.add("files", files)
    object.add("state", state)
    return object
  }
}
