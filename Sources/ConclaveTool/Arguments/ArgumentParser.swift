/// Takes a command's arguments apart by its ``Usage``.
///
/// `--name value` and `--name=value`, `-n value` and `-nvalue`, short flags joined; `--` ends the
/// options; a lone `-` is an operand. The last of several values of one option holds.
struct ArgumentParser {
  let usage: Usage
  private var rest: ArraySlice<String>
  private var values: [String: String] = [:]
  private var operands: [String] = []

  private init(_ usage: Usage, _ arguments: some Collection<String>) {
    self.usage = usage
    rest = ArraySlice(Array(arguments))
  }

  /// - Throws: ``ToolError`` with ``ExitCode/usage``, naming the option that was probably meant.
  static func parse(
    _ arguments: some Collection<String>, by usage: Usage
  ) throws(ToolError) -> Arguments {
    var parser = ArgumentParser(usage, arguments)
    try parser.takeAll()
    return Arguments(usage: usage, values: parser.values, operands: parser.operands)
  }

  private mutating func takeAll() throws(ToolError) {
    var optionsEnded = false
    while let argument = rest.popFirst() {
      if optionsEnded || argument == "-" || !argument.hasPrefix("-") {
        operands.append(argument)
      } else if argument == "--" {
        optionsEnded = true
      } else if argument.hasPrefix("--") {
        try takeLong(argument.dropFirst(2))
      } else {
        try takeShort(argument.dropFirst())
      }
    }
    // Whoever asks for help need not get the rest right.
    if values[Option.help.long] == nil {
      try checkOperands()
      try checkRequiredOptions()
    }
  }

  private mutating func takeLong(_ text: Substring) throws(ToolError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let option = usage.options.first(where: { $0.long == name }) else {
      throw unknown("--\(name)")
    }
    let attached = parts.count == 2 ? String(parts[1]) : nil
    guard option.value != nil else {
      guard attached == nil else {
        throw usageError("option --\(name) takes no value", hint: "write --\(name) alone")
      }
      return values[name] = ""
    }
    values[name] = if let attached { attached } else { try nextValue(of: option, "--\(name)") }
  }

  private mutating func takeShort(_ text: Substring) throws(ToolError) {
    var text = text
    while let letter = text.popFirst() {
      guard let option = usage.options.first(where: { $0.short == letter }) else {
        throw unknown("-\(letter)")
      }
      guard option.value != nil else {
        values[option.long] = ""
        continue
      }
      values[option.long] = text.isEmpty ? try nextValue(of: option, "-\(letter)") : String(text)
      return
    }
  }

  private mutating func nextValue(
    of option: Option, _ written: String
  ) throws(ToolError) -> String {
    // Two dashes are far more often the next option than a value.
    guard let value = rest.first, !value.hasPrefix("--") else {
      throw usageError(
        "option \(written) needs a value", hint: "write --\(option.long)=\(option.value ?? "")")
    }
    rest = rest.dropFirst()
    return value
  }

  private func checkOperands() throws(ToolError) {
    if operands.count > usage.operands.count, usage.operands.last?.isRepeated != true {
      let extra = operands[usage.operands.count]
      throw usageError("unexpected argument \(quoted(extra))", hint: seeHelp)
    }
    if let missing = usage.operands.dropFirst(operands.count).first(where: \.isRequired) {
      throw usageError("\(missing.name) is missing", hint: seeHelp)
    }
  }

  private func checkRequiredOptions() throws(ToolError) {
    if let missing = usage.options.first(where: { $0.isRequired && values[$0.long] == nil }) {
      throw usageError("option --\(missing.long) is missing", hint: seeHelp)
    }
  }

  private func unknown(_ written: String) -> ToolError {
    let names = usage.options.flatMap { option in
      ["--\(option.long)"] + (option.short.map { ["-\($0)"] } ?? [])
    }
    let hint = closest(to: written, among: names).map { "did you mean \($0)?" } ?? seeHelp
    return usageError("unknown option \(quoted(written))", hint: hint)
  }

  private var seeHelp: String { "see conclave \(usage.name) --help" }
}
