/// The text that `--help` prints, made from the table that the parser works by.
func helpText(_ usage: Usage) -> String {
  var text = "conclave \(usage.name) - \(usage.summary)\n\n"
  text += "Usage: conclave \(usage.name)"
  for operand in usage.operands {
    text += operand.isRequired ? " \(operand.name)" : " [\(operand.name)]"
  }
  for option in usage.options where option.isRequired {
    text += " --\(option.long)" + (option.value.map { " \($0)" } ?? "")
  }
  text += " [options]\n"
  if !usage.details.isEmpty { text += "\n\(usage.details)\n" }
  if !usage.operands.isEmpty {
    text += "\nArguments:\n" + helpTable(usage.operands.map { ($0.name, $0.help) })
  }
  text += "\nOptions:\n" + helpTable(usage.options.map { (spelling($0), explanation($0)) })
  return text + helpExamples(usage.examples)
}

/// Two columns, the second one broken so that no line is longer than 80 characters.
func helpTable(_ rows: [(String, String)]) -> String {
  let width = rows.map(\.0.count).max() ?? 0
  let indent = String(repeating: " ", count: width + 4)
  return rows.map { left, right in
    let padding = String(repeating: " ", count: width - left.count)
    let lines = brokenIntoLines(right, width: 80 - width - 4)
    return "  \(left)\(padding)  \(lines.joined(separator: "\n\(indent)"))\n"
  }.joined()
}

func helpExamples(_ examples: [Example]) -> String {
  "\nExamples:\n"
    + examples.map { "  # \($0.purpose)\n  \($0.line)\n" }.joined(separator: "\n")
}

private func spelling(_ option: Option) -> String {
  let short = option.short.map { "-\($0), " } ?? "    "
  return "\(short)--\(option.long)" + (option.value.map { " \($0)" } ?? "")
}

private func explanation(_ option: Option) -> String {
  option.help + (option.environment.map { " [environment: \($0)]" } ?? "")
}

private func brokenIntoLines(_ text: String, width: Int) -> [String] {
  var lines: [String] = []
  for word in text.split(separator: " ") {
    if let last = lines.last, last.count + 1 + word.count <= width {
      lines[lines.count - 1] += " \(word)"
    } else {
      lines.append(String(word))
    }
  }
  return lines
}
