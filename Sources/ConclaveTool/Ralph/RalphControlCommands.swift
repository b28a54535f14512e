import ConclaveBus
import ConclaveRunner

/// `conclave ralph status`.
enum RalphStatusCommand: Command {
  static let usage = Usage(
    "ralph status", "show how far the loop in this worktree is",
    details: """
      Ends with exit code 3 when there is none. With --json it prints the state as one
      object, without the task's text, and whether a loop is at work now.
      """,
    options: [],
    examples: [
      Example("look once", "conclave ralph status"),
      Example("what has it cost?", "conclave ralph status --json | jq .state.cost_usd"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let control = LoopControl(try LoopPlace(containing: RalphOptions.workingDirectory()))
    guard let state = try control.state() else {
      throw ToolError(
        .notFound, code: "notFound", "there is no loop in \(quoted(control.place.top))",
        hint: "start one with conclave ralph-run --task")
    }
    let process = control.process
    if console.json {
      let line = state.jsonLine.dropLast()
      try console.output.write(
        "{\"process\":\(process.map(String.init) ?? "null"),\"state\":\(line)}\n")
    } else {
      try console.output.write(text(state, process))
    }
    return .success
  }

  private static func text(_ state: LoopState, _ process: Int?) -> String {
    let work = process.map { "at work, process \($0)" }
    let status = state.status == .running ? work ?? "killed" : state.status.rawValue
    var lines = [
      "task       \(state.taskID)", "status     \(status)",
      "iteration  \(state.iteration) of \(state.maxIterations)"
        + (state.gate.isEmpty ? "" : ", gate \(state.gate)"),
      "branch     \(state.branch)",
    ]
    if !state.reason.isEmpty { lines.append("reason     \(state.reason)") }
    if !state.commit.isEmpty { lines.append("commit     \(state.commit)") }
    if !state.failedBranch.isEmpty { lines.append("kept on    \(state.failedBranch)") }
    if state.cost > 0 { lines.append("cost       \(decimal(state.cost, digits: 2)) USD") }
    for attempt in state.attempts {
      let verdict = attempt.verdict.isEmpty ? "" : " [\(attempt.verdict)]"
      lines.append(
        "failed     \(attempt.iteration): \(attempt.gate): \(attempt.summary)\(verdict)")
    }
    return lines.map(printable).joined(separator: "\n") + "\n"
  }
}

/// `conclave ralph stop`.
enum RalphStopCommand: Command {
  static let usage = Usage(
    "ralph stop", "ask the loop in this worktree to stop at its next gate",
    details: """
      Returns at once; what runs now is let finish. The loop then ends with exit code
      1 and can be resumed. Ends with exit code 3 when no loop is at work. To end it at
      once, send it SIGINT.
      """,
    options: [], examples: [Example("stop after this gate", "conclave ralph stop")])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let control = LoopControl(try LoopPlace(containing: RalphOptions.workingDirectory()))
    try control.stop()
    if console.json { try console.output.write("{\"requested\":true}\n") }
    return .success
  }
}

/// `conclave ralph add-context`.
enum RalphAddContextCommand: Command {
  static let usage = Usage(
    "ralph add-context", "tell the agent something from the next iteration on",
    details: """
      The text is part of .ralph_context.md in all later iterations of this task. At
      most 64 KiB in all. Ends with exit code 3 when there is no loop to tell it.
      """,
    operands: [Operand("TEXT", "what to tell; - reads standard input")], options: [],
    examples: [
      Example("help it", "conclave ralph add-context \"The parser is in src/parse, not in lib\"")
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let control = LoopControl(try LoopPlace(containing: RalphOptions.workingDirectory()))
    let text = arguments.operands[0]
    try control.addContext(text == "-" ? try standardInput() : text)
    if console.json { try console.output.write("{\"added\":true}\n") }
    return .success
  }

  private static func standardInput() throws -> String {
    var input = Input()
    return try TaskText.decoded(try input.readAll(), "standard input")
  }
}
