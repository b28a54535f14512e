import ConclaveBus
import ConclaveRunner
import SharedRing

/// What people see of a run: on a terminal a line a task that changes, otherwise a line for each
/// thing that happens, with the time. Safe from any thread.
struct FleetReport: Sendable {
  private let notes: Notes
  private let isQuiet: Bool
  private let view: LiveView?

  init(_ console: Console, isQuiet: Bool) {
    notes = console.notes
    self.isQuiet = isQuiet || console.json
    view = self.isQuiet ? nil : LiveView(console.notes)
  }

  func show(_ event: FleetEvent) {
    if let view { return view.show(event) }
    guard !isQuiet, let text = FleetReport.text(event) else { return }
    notes.say("\(FleetReport.time(.now())) \(printable(text))")
  }

  /// Says a line that is no event of the run.
  func say(_ line: String) { show(.note(line)) }

  /// Removes what changes from the terminal.
  func end() { view?.end() }

  /// `2026-11-21T22:15:23Z`: with the date, since runs go on over night.
  private static func time(_ time: Timestamp) -> String { "\(time.description.prefix(19))Z" }

  /// One line, or nil for what is too small to be a line.
  static func text(_ event: FleetEvent) -> String? {
    switch event {
    case .began(let run, let branch, let tasks, let waves, let resumed):
      let order =
        waves.isEmpty ? ", each as soon as it can," : " in \(counted(waves.count, "wave"))"
      return "parallel-run: \(counted(tasks.count, "task"))\(order) for \(branch), run \(run)"
        + (resumed ? ", goes on" : "")
    case .waveBegan(let wave, let tasks, _):
      return "\(name(wave) ?? "to be done"): task \(list(tasks))"
    case .taskStarted(let place, let attempt, let resumed):
      let again = attempt > 1 ? ", attempt \(attempt)" : ""
      return
        "  task \(place.task): begins\(again)\(resumed ? ", goes on" : "") in \(place.worktree)"
    case .taskGate(let task, let iteration, let limit, let gate):
      return gate.isEmpty ? nil : "  task \(task): \(gate) (iteration \(iteration) of \(limit))"
    case .finding(let sender, let kind, let text): return "  \(sender) says, \(kind): \(text)"
    case .taskEnded(let task, let end, let words):
      return "  task \(task): \(end.rawValue): \(words)"
    case .merged(let task, ""): return "  task \(task): nothing was left to merge"
    case .merged(let task, let commit): return "  task \(task): merged as \(commit.prefix(12))"
    case .conflict(let task, let conflict, let willRetry):
      return "  task \(task): \(words(conflict))\(willRetry ? "; it is done again" : "")"
    case .skipped(let task, let reason): return "  task \(task): skipped: \(reason)"
    case .gateBegan(let wave): return "\(name(wave) ?? "merge"): tests of the merged work"
    case .gateEnded(let wave, _, _, let words): return "\(name(wave) ?? "merge"): \(words)"
    case .waveEnded(let wave): return name(wave).map { "\($0): over" }
    case .note(let text): return "  \(text)"
    }
  }

  /// nil in a run without waves.
  private static func name(_ wave: Int?) -> String? { wave.map { "wave \($0)" } }

  private static func words(_ conflict: TaskConflict) -> String {
    switch conflict {
    case .files(let files): "conflicts in \(files.joined(separator: ", "))"
    case .tests: "with its merge the tests fail"
    }
  }

  private static func list(_ tasks: [Int]) -> String {
    tasks.map(String.init).joined(separator: ", ")
  }
}
