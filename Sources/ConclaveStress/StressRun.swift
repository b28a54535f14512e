import ConclaveBus

/// A whole stress run, by default on a bus of its own.
///
/// The program must ignore SIGPIPE, since workers that die leave pipes without a reader.
package struct StressRun {
  /// What the directories of runs are called by.
  static let purpose = "stress"

  private let plan: StressPlan
  private let workerCommand: [String]
  private let directory: String?
  private let interruption: Int32?
  private let onProgress: (StressProgress) -> Void

  /// - Parameters:
  ///   - plan: a plan that has passed its check.
  ///   - workerCommand: the command line, the program's name first, that makes this same program
  ///     call
  ///     ``StressWorker/runAsProcess(directory:)`` once the worker's own words are added.
  ///   - directory: the bus directory; nil for a fresh one that is removed afterwards.
  ///   - interruption: becomes readable when the run is to stop; see `conclave_signals_open`.
  ///   - onProgress: called at least twice a second.
  package init(
    _ plan: StressPlan, workerCommand: [String], directory: String? = nil,
    interruption: Int32? = nil, onProgress: @escaping (StressProgress) -> Void = { _ in }
  ) {
    self.plan = plan
    self.workerCommand = workerCommand
    self.directory = directory
    self.interruption = interruption
    self.onProgress = onProgress
  }

  /// Runs it. Whatever happens, no worker process is left when this returns. What runs that were
  /// killed have left in the directory for temporary files is removed first.
  package func run() throws(StressFailure) -> StressResult {
    guard plan.transport.usesProcesses else {
      return try coordinate(in: "", bus: ChannelBus())
    }
    if let directory { return try coordinate(in: directory, bus: nil) }
    StressLeftovers.sweep()
    let temporary = try checked { () throws(BusError) in try TemporaryDirectory(StressRun.purpose) }
    defer { temporary.remove() }
    let result: StressResult
    do throws(StressFailure) {
      result = try coordinate(in: temporary.path, bus: nil)
    } catch {
      try? plan.transport.clean(temporary.path)
      throw error
    }
    // What the bus keeps elsewhere would outlive the directory.
    try checked { () throws(BusError) in try plan.transport.clean(temporary.path) }
    return result
  }

  private func coordinate(
    in directory: String, bus: (any MessageBus)?
  ) throws(StressFailure) -> StressResult {
    let files =
      plan.mirror == .none
      ? nil : try checked { () throws(BusError) in try FilesCheck(plan, in: directory) }
    let crew = Crew(workerCommand: workerCommand, directory: directory, bus: bus)
    var result = try StressCoordinator(
      plan, crew, interruption: interruption, onProgress: onProgress
    ).run()
    if let files { try checked { () throws(BusError) in result.files = try files.run() } }
    return result
  }

  private func checked<R>(_ body: () throws(BusError) -> R) throws(StressFailure) -> R {
    do throws(BusError) { return try body() } catch { throw .bus(error) }
  }
}
