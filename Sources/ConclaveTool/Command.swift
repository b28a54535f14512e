/// One command of the tool: what it takes, declared once, and what it does.
///
/// The dispatcher parses the arguments by ``usage``, answers `--help`, calls ``run(_:_:)``, flushes
/// the output, and turns whatever is thrown into one line on standard error and an exit code.
protocol Command: SendableMetatype {
  /// Name, operands, options and examples. The parser and the help text are made from it.
  static var usage: Usage { get }

  /// Does the work. Data goes to `console.output`, everything for people to `console.notes`.
  ///
  /// - Throws: ``ToolError``, `BusError`, `PublishFailure` or ``OutputClosed``.
  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode
}
