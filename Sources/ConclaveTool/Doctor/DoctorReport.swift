import ConclaveBus
import ConclaveRunner

/// The findings, as text or JSON.
struct DoctorReport {
  private var findings: [(finding: Finding, fixed: String?)] = []

  /// - Parameter fixed: what was done about it.
  mutating func add(_ finding: Finding, fixed: String?) { findings.append((finding, fixed)) }

  private var open: [Finding] { findings.filter { $0.fixed == nil }.map(\.finding) }

  private func count(_ severity: Finding.Severity) -> Int {
    open.count { $0.severity == severity }
  }

  var exit: ExitCode {
    switch open.max(by: { $0.severity.rawValue < $1.severity.rawValue })?.severity {
    case .error: .degraded
    case .warning: .negative
    case .note, .ok, nil: .success
    }
  }

  /// One line a finding, what to do below it, and a line that sums up.
  var text: String {
    let width = findings.map(\.finding.subject.count).max() ?? 0
    let lines = findings.map { finding, fixed in
      let mark = (fixed == nil ? finding.severity.name : "fixed").padded(to: 8)
      let line = "\(mark) \(finding.subject.padded(to: width))  \(finding.message)\n"
      let more = fixed ?? finding.hint
      return more.isEmpty ? line : line + "         \("".padded(to: width))  -> \(more)\n"
    }
    return lines.joined() + summary + "\n"
  }

  private var summary: String {
    let (errors, warnings) = (count(.error), count(.warning))
    if errors + warnings == 0 { return "all is well" }
    return counted(errors, "error") + ", " + counted(warnings, "warning")
  }

  var json: JSONObject {
    var object = JSONObject()
    object.add("errors", count(.error))
    object.add("warnings", count(.warning))
    object.add(
      "findings",
      findings.map { finding, fixed in
        var object = JSONObject()
        object.add("severity", finding.severity.name)
        object.add("subject", finding.subject)
        object.add("message", finding.message)
        object.add("hint", finding.hint)
        if !finding.processes.isEmpty { object.add("processes", finding.processes) }
        object.add("fixable", finding.cure != nil)
        object.add("fixed", fixed)
        return object
      })
    return object
  }
}

extension String {
  /// With spaces behind it, so that it is at least `width` characters wide.
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
