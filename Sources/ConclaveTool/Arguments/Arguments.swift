import Glibc

/// Parsed arguments: options before the environment before defaults.
struct Arguments {
  let usage: Usage
  private let values: [String: String]
  /// The arguments that belong to no option, in their order.
  let operands: [String]

  init(usage: Usage, values: [String: String], operands: [String]) {
    self.usage = usage
    self.values = values
    self.operands = operands
  }

  /// Whether a flag was given.
  func has(_ flag: Option) -> Bool {
    checkDeclared(flag)
    return values[flag.long] != nil
  }

  /// The option's text, or else its environment variable's, unless that is empty.
  func text(_ option: Option) -> String? { given(option)?.text }

  /// What stands on the command line for the option, empty for a flag; not its variable's text.
  func written(_ option: Option) -> String? {
    checkDeclared(option)
    return values[option.long]
  }

  /// Everything that stands on the command line, in a form that can be parsed again.
  var all: [String] {
    usage.options.compactMap { option in
      guard let text = values[option.long] else { return nil }
      return option.value == nil ? "--\(option.long)" : "--\(option.long)=\(text)"
    } + ["--"] + operands
  }

  /// The text of an option that is declared as required; the parser has seen to it that it is
  /// there.
  func required(_ option: Option) -> String {
    guard let text = text(option), option.isRequired else {
      preconditionFailure("--\(option.long) is not declared as required")
    }
    return text
  }

  /// The option's value as `parse` understands it.
  ///
  /// - Throws: ``ToolError`` that names the option or the variable, and says what `form` to write,
  ///   when `parse` returns nil.
  func value<Value>(
    _ option: Option, form: String, _ parse: (String) -> Value?
  ) throws(ToolError) -> Value? {
    guard let (text, origin) = given(option) else { return nil }
    if let value = parse(text) { return value }
    throw usageError("\(origin) is \(quoted(text))", hint: "write \(form)")
  }

  /// A time such as `100ms`, `1s`, `2m`; plain numbers are seconds.
  func duration(_ option: Option) throws(ToolError) -> Duration? {
    try value(option, form: "a time such as 100ms, 1s or 2m", parseDuration)
  }

  /// One of a few words.
  func word<Word: RawRepresentable<String> & CaseIterable>(
    _ option: Option, of: Word.Type
  ) throws(ToolError) -> Word? {
    let words = Word.allCases.map(\.rawValue).joined(separator: " or ")
    return try value(option, form: words) { Word(rawValue: $0) }
  }

  private func given(_ option: Option) -> (text: String, origin: String)? {
    checkDeclared(option)
    if let text = values[option.long] { return (text, "option --\(option.long)") }
    guard let name = option.environment, let text = environmentVariable(name) else { return nil }
    return (text, "environment variable \(name)")
  }

  /// An option that is read but not in the table would not be in the help either.
  private func checkDeclared(_ option: Option) {
    precondition(
      usage.options.contains { $0.long == option.long },
      "--\(option.long) is not among the options of conclave \(usage.name)")
  }
}

/// The variable's value, or nil when it is not set or empty.
func environmentVariable(_ name: String) -> String? {
  guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
  return unsafe String(cString: value)
}
