import ConclaveBoard
import ConclaveBus
import ConclaveRunner

extension RalphBoard {
  /// The board that the options name, or nil without one.
  ///
  /// - Throws: for what cannot be a board; whether it can be opened shows later.
  static func named(by arguments: Arguments, _ console: Console) throws -> RalphBoard? {
    let path = arguments.text(RalphOptions.boardDirectory)
    let name = arguments.text(RalphOptions.boardTopic)
    guard path != nil || name != nil else { return nil }
    guard let task = arguments.text(RalphOptions.taskID) else {
      throw usageError(
        "a board needs to know who speaks", hint: "name the task with --task-id")
    }
    let topic = try Topic(name ?? Board.usualTopic)
    let transport = try arguments.word(.boardTransport, of: Transport.self)
    var limits = BoardLimits()
    if let count = try RalphOptions.boardCount(arguments) { limits.count = count }
    let notes = console.notes
    return RalphBoard(task: task, limits: limits, notes: notes) {
      let directory =
        if let path { try BusDirectory(opening: path) } else {
          try BusLocation.find(option: nil).openDirectory(create: true)
        }
      let bus = try Transport.openBoard(transport, directory, notes) {
        notes.say("  board: \($0)")
      }.bus
      return Board(on: bus, topic: topic)
    }
  }
}
