/// A program to run: what, where, with what, and how long.
public struct ChildRequest: Sendable {
  /// The path of the program; see ``Executable/find(_:environment:directory:)``.
  public var program: String
  /// What comes behind the program's name.
  public var arguments: [String]
  /// All of it.
  public var environment: [String: String]
  /// The absolute path of the working directory.
  public var directory: String
  /// All of its standard input.
  public var input: [UInt8] = []
  /// How long it may run, or nil for ever.
  public var timeLimit: Duration?
  /// How long it has, once asked to end (SIGTERM), before it is killed.
  public var grace: Duration = .seconds(5)
  /// Whether standard error goes where standard output goes, so that their order is kept.
  public var mergesErrors = false
  /// A file that standard output and standard error are appended to, instead of being kept.
  public var outputFile: String?
  /// How many bytes of the end of each output are kept, besides those of its beginning.
  public var outputLimit = 1 << 22
  /// Whether it ends what it has started itself, so that it alone is asked to end.
  public var looksAfterItsOwn = false
  /// How long it may go on after the stop signal: for what is done in no time, as a rule, and must
  /// not be cut off then.
  public var stopPatience = Duration.zero
  /// Whether processes that it leaves behind are ended, too. Only for what is trusted not to leave
  /// any is looking for them a waste.
  public var endsLeftovers = true

  public init(
    _ program: String, _ arguments: [String] = [], environment: [String: String],
    directory: String
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }
}

/// How a program ended.
public struct ChildResult: Sendable {
  public enum Exit: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
  }

  /// Whose idea the end was.
  public enum Cause: Hashable, Sendable {
    case itself
    case timeLimit
    case stopSignal
  }

  public let exit: Exit
  public let cause: Cause
  /// Empty when it went into a file.
  public let output: CapturedOutput
  /// Empty when merged into ``output``, or when it went into a file.
  public let errors: CapturedOutput
  public let duration: Duration
  /// How many processes it had left behind, that were ended.
  public let leftovers: Int

  /// Whether it ended by itself with exit code 0.
  public var succeeded: Bool { exit == .code(0) && cause == .itself }

  /// How it ended, in words: `exit code 2`, `killed by SIGKILL`.
  public var words: String {
    switch exit {
    case .code(let code): "exit code \(code)"
    case .signal(let number): "killed by \(signalName(number))"
    }
  }
}
