import ConclaveBus
import ConclaveRunner

/// What runs of plans and loops have left in the repository that this is.
enum RunChecks {
  static func run() -> [Finding] {
    do {
      return try Remains.find(in: RalphOptions.workingDirectory()).map(finding)
    } catch {
      let error = ToolError(any: error)
      return [.error("runs", error.message, hint: error.hint)]
    }
  }

  private static func finding(_ remains: Remains) -> Finding {
    let severity: Finding.Severity =
      switch remains.weight {
      case .good: .ok
      case .note: .note
      case .leftover: .warning
      }
    var finding = Finding(
      severity: severity, subject: subject(remains.kind), message: printable(remains.message),
      hint: printable(remains.hint))
    finding.processes = remains.processes
    if remains.isClearable { finding.cure = { printable(try remains.clear()) } }
    return finding
  }

  private static func subject(_ kind: Remains.Kind) -> String {
    switch kind {
    case .run: "a run"
    case .loop: "a loop"
    case .processes: "processes"
    case .worktree: "a worktree"
    case .merge: "a merge"
    case .lock: "a lock"
    }
  }
}
