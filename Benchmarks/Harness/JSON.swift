/// The results for programs.
enum JSONReport {
  static func text(_ environment: BenchmarkEnvironment, _ results: [(String, Record)]) -> String {
    let benchmarks = results.map { name, record in
      "  \(quoted(name)): {\n"
        + record.metrics.map { "    \(quoted($0.name)): \(metric($0))" }.joined(separator: ",\n")
        + "\n  }"
    }
    let facts = environment.facts.map { "  \(quoted($0.name)): \(value($0.value))" }
    return """
      {
      "environment": {
      \(facts.joined(separator: ",\n"))
      },
      "benchmarks": {
      \(benchmarks.joined(separator: ",\n"))
      }
      }

      """
  }

  private static func metric(_ metric: Record.Metric) -> String {
    var members = [
      "\"median\": \(number(metric.median))", "\"min\": \(number(metric.least))",
      "\"max\": \(number(metric.greatest))", "\"unit\": \(quoted(metric.unit))",
    ]
    switch metric.kind {
    case .quantity: members.append("\"kind\": \"quantity\"")
    case .ratio(let limit):
      members.append("\"kind\": \"ratio\"")
      if let limit { members.append("\"aim\": \(number(limit))") }
    case .fault: members.append("\"kind\": \"fault\"")
    }
    members.append("\"samples\": [\(metric.samples.map(number).joined(separator: ", "))]")
    return "{\(members.joined(separator: ", "))}"
  }

  private static func value(_ value: BenchmarkEnvironment.Value) -> String {
    switch value {
    case .text(let text): quoted(text)
    case .number(let number): "\(number)"
    }
  }

  /// JSON knows no infinity.
  private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
