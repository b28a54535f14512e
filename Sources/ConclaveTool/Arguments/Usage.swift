/// An option, declared once: the parser, the help text and the command's own code all refer to it.
struct Option: Sendable {
  /// The name behind `--`.
  let long: String
  /// The name behind `-`, if there is one.
  let short: Character?
  /// What the help calls the value, or nil for an option without one.
  let value: String?
  /// What it does, in a few words and without a final full stop.
  let help: String
  /// The environment variable that stands in for it.
  let environment: String?
  /// Whether the command cannot do without it.
  let isRequired: Bool

  init(
    _ long: String, short: Character? = nil, value: String? = nil, environment: String? = nil,
    isRequired: Bool = false, _ help: String
  ) {
    self.long = long
    self.short = short
    self.value = value
    self.help = help
    self.environment = environment
    self.isRequired = isRequired
  }
}

/// An argument without a name, found by its place.
struct Operand: Sendable {
  let name: String
  let isRequired: Bool
  /// Whether any number of arguments may stand in its place. For the last one.
  let isRepeated: Bool
  let help: String

  init(
    _ name: String, isRequired: Bool = true, isRepeated: Bool = false, _ help: String
  ) {
    self.name = isRepeated ? "\(name)..." : name
    self.isRequired = isRequired
    self.isRepeated = isRepeated
    self.help = help
  }
}

/// A command line with what it is for.
struct Example: Sendable {
  let purpose: String
  let line: String

  init(_ purpose: String, _ line: String) {
    self.purpose = purpose
    self.line = line
  }
}

/// Everything that a command takes.
struct Usage: Sendable {
  /// The words that call it, for instance `bus publish`.
  let name: String
  /// What it does, in a few words.
  let summary: String
  /// What else there is to know: paragraphs, each line at most 80 characters.
  let details: String
  let operands: [Operand]
  let options: [Option]
  let examples: [Example]

  init(
    _ name: String, _ summary: String, details: String = "", operands: [Operand] = [],
    options: [Option], examples: [Example]
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.operands = operands
    // Every command has these two; declared here, no command can forget them.
    self.options = options + [.json, .help]
    self.examples = examples
  }
}

extension Option {
  static let help = Option("help", short: "h", "show this help and exit")
  static let json = Option("json", "print JSON, and errors as {\"error\":{code,message,hint}}")
}

extension Usage {
  /// The last word of the name.
  var commandName: String { name.split(separator: " ").last.map(String.init) ?? name }
}
