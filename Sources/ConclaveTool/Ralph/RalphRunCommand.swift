import ConclaveRunner
import Glibc

/// `conclave ralph-run`: an agent works on one task until its work passes all gates.
enum RalphRunCommand: Command {
  static let usage = Usage(
    "ralph-run", "have an agent work on a task until its work passes all gates",
    details: """
      Each iteration calls the agent anew and then runs the gates: implement, tests,
      spec (another call of the agent compares the difference with the task), quality
      (its failure is a warning), and commits what has passed. What failed is told to
      the agent in the next iteration, in .ralph_context.md; the state of the loop is
      in .ralph_state.json. Both, and .ralph.lock, stay out of every commit.

      Equal failures in a row make the agent change its strategy, at most twice, and
      then end the loop. Failed work is kept on a branch wip/ralph-fail-...; branch,
      index and files stay as they are.

      SIGINT and SIGTERM end everything that runs; --resume goes on where it was.
      Exit codes: 0 passed, 1 failed or stopped, 4 the time of the whole loop is
      over, 5 another loop is at work or has not passed, 7 nobody is logged in to the
      agent, or git cannot sign, 8 the disk is full, 9 the agent needs a person.

      An agent is claude, codex, gemini, or a JSON file that describes another:
      {"command": ["my-agent", "-q"], "prompt": "stdin|argument|file",
      "answer": "text|json", "keys": {"result": "result", "isError": "is_error"}}.
      """,
    options: RalphOptions.all,
    examples: [
      Example("one task", "conclave ralph-run --task \"Add a --quiet option\""),
      Example(
        "a task in a file, tests of your own, at most 5 dollars",
        "conclave ralph-run --task task.md --test-cmd \"make check\" --max-cost 5"),
      Example("go on after an interruption", "conclave ralph-run --resume"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    guard ParentProcess.follow() else { return .terminated }
    var options = try RalphOptions.read(arguments)
    let board = try RalphBoard.named(by: arguments, console)
    defer { board?.close() }
    if let board { options.board = board.loopBoard }
    ProcessAdoption.begin()
    let stop = StopSignal()
    // The programs have their own grace, and where much else goes on it takes time to find all that
    // they have started; then ours must not be over.
    let grace = Int32(60_000)
    _ = try Interruption.watch(output: false, graceMilliseconds: grace, last: ChildRun.killAll) {
      stop.stop(Interruption.currentExitCode == .terminated ? .terminate : .interrupt)
    }
    let report = RalphReport(console, isQuiet: arguments.has(RalphOptions.quiet))
    defer { report.clear() }
    let outcome = try RalphLoop.run(options, stop: stop, onEvent: report.show)
    report.clear()
    if console.json {
      try console.output.write(outcome.state.jsonLine)
    } else {
      console.notes.say("ralph-run: \(outcome.sentence)")
    }
    return exitCode(outcome.end)
  }

  private static func exitCode(_ end: LoopOutcome.End) -> ExitCode {
    switch end {
    case .passed: .success
    case .failed, .tooExpensive, .stopped, .astray: .negative
    case .timedOut: .timedOut
    case .blocked: .blocked
    case .interrupted(.interrupt): .interrupted
    case .interrupted(.terminate): .terminated
    }
  }
}
