import ConclaveBus
import ConclaveRunner

/// `conclave parallel-run`: the tasks of a plan, in the order that they allow.
enum ParallelCommand: Command {
  static let usage = Usage(
    "parallel-run", "have agents work on the tasks of a plan, beside each other",
    details: """
      A plan is Markdown with a section for each task:

        ## Task 2: Parse the options
        **Files:**
        - Create: `src/options.c`
        - Modify: `src/main.c:10-40`, `Makefile`
        - Test: `tests/options.c`

        **Dependencies:** Task 1

      or None, or Tasks 1, 2 and 4, or 1-4; remarks stand in parentheses. A wave is
      what can be done at the same time. Tasks that change the same files are put one
      behind the other, also without a dependency. Patterns, directories and names that
      differ in case count as the same; line numbers make no difference.

      Everything that is wrong with a plan is said at once, by line, with exit code 2.
      With --dry-run, what would hinder it in this repository is said behind it, on
      standard error, and gives the exit code.

      Each task is worked on by a ralph-run of its own, in a worktree of its own on a
      branch task/N-..., with a board for each wave. After a wave, what has passed is
      merged in plan order, one commit for each task; the tests run on the merged work,
      and only then the branch moves, and your checkout with it, or neither. A task
      that does not fit is done again with what the others have done. Work that fails
      is kept on branches wip/...; tasks that depend on it are skipped. Time limits,
      --max-iterations and --max-cost hold for each task alone.

      With --schedule eager nobody waits for a wave: a task begins as soon as all that
      it waits for is merged and a place is free. What has passed is merged as soon as
      the merge before is done, in plan order among what waits for that, so the order
      of commits depends on how long tasks take. All tasks share one board.

      SIGINT and SIGTERM end everything that runs; a second one at once. After that, and
      after a kill, --resume goes on where it was. Logs and the journal are in
      .conclave/parallel, what was said on the boards is in conclave bus archive.
      With --review agents look at what was merged, each alone in a clone of its own,
      and one of them sums it up; with --debate they reply to each other before. It
      takes answers of two different agents to be called a consensus. What is too large
      for a prompt, binary or generated is named instead of shown. All is kept as
      review.md beside the journal. The exit code is the run's, whatever a review comes
      to; one that is interrupted gives 130 or 143, and cannot be gone on with.
      What would meet every task, such as a full disk or an agent that nobody is logged
      in to, ends the run without losing any, and --resume goes on.
      Exit codes: 0 all tasks are merged, 1 some are not, 5 another run is at work or
      not over, or what is not committed is in the way of a merge, 7 nobody is logged in
      or something may not be done, 8 the disk is full.
      """,
    options: ParallelOptions.all,
    examples: [
      Example("see how it works, without an agent", "conclave parallel-run --demo"),
      Example(
        "do it, four tasks at a time", "conclave parallel-run --plan plan.md --max-concurrent 4"),
      Example(
        "have it reviewed, and the reviewers argue",
        "conclave parallel-run --plan plan.md --review --debate"),
      Example("go on after an interruption", "conclave parallel-run --resume"),
      Example("what would be done when?", "conclave parallel-run --plan plan.md --dry-run"),
      Example(
        "a picture of it",
        "conclave parallel-run --plan plan.md --dry-run --graph dot | dot -Tsvg > plan.svg"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    if arguments.has(ParallelOptions.demo) {
      try Demo.requireNothingElse(arguments)
      return try Demo(console).run()
    }
    guard arguments.has(ParallelOptions.dryRun) else {
      guard !arguments.has(ParallelOptions.graph) else {
        throw usageError("--graph only draws", hint: "use it with --dry-run")
      }
      do {
        return try ParallelRun(arguments, console).run()
      } catch let error as PlanError {
        return report(error, arguments.text(ParallelOptions.plan) ?? "the plan", console)
      }
    }
    let options = try ParallelOptions(arguments)
    guard options.drawing == nil || !console.json else {
      throw usageError("--graph and --json exclude each other", hint: "leave one of them out")
    }
    let graph: PlanGraph
    do throws(PlanError) {
      graph = try PlanGraph(
        reading: options.planBytes, assumesIndependent: options.assumesIndependent)
    } catch {
      return report(error, options.planName, console)
    }
    var run = FleetOptions(
      graph: graph, planText: options.planBytes, directory: try RalphOptions.workingDirectory())
    try ParallelRunOptions.read(arguments, into: &run)
    _ = try ReviewOptions.read(
      arguments, environment: run.environment, directory: run.directory)
    return try show(graph, options, run.beginning, console)
  }

  private static func show(
    _ graph: PlanGraph, _ options: ParallelOptions, _ beginning: FleetOptions.Beginning,
    _ console: Console
  ) throws -> ExitCode {
    let hindrances = FleetPreflight.hindrances(options.preflight(for: graph, beginning))
    let report = PlanReport(
      graph, options.schedule ?? .wave, name: options.planName, hindrances: hindrances)
    try console.output.write(console.json ? report.json : report.text(options.drawing))
    try console.output.flush()
    for hindrance in hindrances { console.notes.report(ToolError(hindrance)) }
    return hindrances.first.map { ExitCode($0.code) } ?? .success
  }

  /// A line for each mistake, so that all can be mended before the next try.
  private static func report(_ error: PlanError, _ name: String, _ console: Console) -> ExitCode {
    let most = 100
    for issue in error.issues.prefix(most) {
      console.notes.report(
        ToolError(
          .usage, code: issue.code.rawValue, "\(name):\(issue.line): \(issue.message)",
          hint: issue.hint))
    }
    if error.issues.count > most {
      console.notes.report(
        ToolError(
          .usage, code: PlanIssue.Code.tooLarge.rawValue,
          "\(name): \(error.issues.count - most) more mistakes", hint: "mend these first"))
    }
    return .usage
  }
}
