import ConclaveBus
import ConclaveRunner
import Glibc

/// Carries out a plan, or goes on with it.
struct ParallelRun {
  private let arguments: Arguments
  private let console: Console
  private let options: FleetOptions
  private let boards: WaveBoards?
  /// How often is looked who changes the same, or nil.
  private let radarInterval: Duration?
  private let review: FleetReviewOptions?

  /// - Throws: ``PlanError`` for a plan that cannot be carried out; ``ToolError`` or `BusError` for
  ///   what cannot be understood, and for what hinders a new run.
  init(_ given: Arguments, _ console: Console) throws {
    self.console = console
    _ = try ParallelRunOptions.beginning(given)
    let directory = try RalphOptions.workingDirectory()
    let isResumed = given.has(ParallelRunOptions.resume)
    let last = isResumed ? try FleetRun.last(in: directory) : nil
    if let last {
      // What is written now comes last, and holds.
      arguments = try ArgumentParser.parse(
        last.arguments + given.all, by: ParallelCommand.usage)
    } else {
      arguments = given
    }
    let parallel = try ParallelOptions(arguments, plan: last?.plan)
    let graph = try PlanGraph(
      reading: parallel.planBytes, assumesIndependent: parallel.assumesIndependent)
    var options = FleetOptions(
      graph: graph, planText: parallel.planBytes, directory: directory)
    options.worktreeFolder = parallel.preflight.worktrees
    options.schedule = parallel.schedule
    try ParallelRunOptions.read(arguments, into: &options)
    _ = try FleetPreflight(parallel.preflight(for: graph, options.beginning))
    boards =
      arguments.has(ParallelRunOptions.noBoard)
      ? nil
      : WaveBoards(
        below: try BusLocation.find().path,
        try arguments.word(.boardTransport, of: Transport.self), loops: options.maxConcurrent,
        console.notes)
    if let boards { options.board = boards.fleetBoard }
    radarInterval = try ParallelRunOptions.radar(arguments)
    review = try ReviewOptions.read(
      arguments, environment: options.environment, directory: directory, isResumed: last != nil)
    self.options = options
  }

  private func radar() -> FleetRadar? {
    guard let boards, let radarInterval else { return nil }
    let post = boards.fleetBoard.post
    let notes = console.notes
    return FleetRadar(
      directory: options.directory, interval: radarInterval,
      environment: options.environment
    ) { posts in
      for found in posts { post(found.finding) }
    } note: { line in
      notes.say(printable("  \(line)"))
    }
  }

  func run() throws -> ExitCode {
    let stop = StopSignal()
    // The loops have their own grace; then ours must not be over.
    let grace = Int32(120_000)
    _ = try Interruption.watch(output: false, graceMilliseconds: grace, last: ChildRun.killAll) {
      stop.stop(Interruption.currentExitCode == .terminated ? .terminate : .interrupt)
    }
    let report = FleetReport(console, isQuiet: arguments.has(ParallelRunOptions.quiet))
    defer { report.end() }
    let radar = radar()
    defer { radar?.end() }
    let review = review.map { FleetReview($0, stop, report.say) }
    var options = options
    options.review = review?.hold
    let outcome = try FleetRun.run(options, stop: stop) { event in
      radar?.follow(event)
      report.show(event)
    }
    report.end()
    let summary = FleetSummary(outcome: outcome, review: review?.result)
    if console.json {
      try console.output.write(summary.json.text + "\n")
    } else {
      try console.output.write(summary.text)
      try console.output.flush()
      console.notes.say(printable("parallel-run: \(outcome.sentence)"))
    }
    return summary.exitCode
  }
}
