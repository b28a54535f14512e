/// How an agent is called: any program that takes a prompt and gives an answer.
public struct AgentConfiguration: Hashable, Sendable {
  /// How the prompt gets to the program.
  public enum PromptRoute: String, Hashable, Sendable, CaseIterable {
    case standardInput = "stdin"
    /// In the place of the argument `{prompt}`, or else as the last argument.
    case argument
    /// In a file whose path takes the place of `{file}` in an argument, or else is the last one.
    case file
  }

  /// How the answer comes out on standard output.
  public enum AnswerForm: Hashable, Sendable {
    /// All of it is the final text.
    case text
    /// One JSON object, or the last line that is one.
    case json(AnswerKeys)
  }

  /// Where in the JSON things are: keys joined by dots.
  public struct AnswerKeys: Hashable, Sendable {
    /// The final text.
    public var result = "result"
    /// Anything but null, false, 0 and "" means that the agent failed, whatever its exit code.
    public var isError = "is_error"
    /// In US dollars.
    public var cost = "total_cost_usd"
    public var inputTokens = "usage.input_tokens"
    public var outputTokens = "usage.output_tokens"
    public var turns = "num_turns"

    public init() {}
  }

  public var name: String
  /// The program and its arguments.
  public var command: [String]
  public var prompt: PromptRoute
  public var answer: AnswerForm
  /// A command that succeeds when the agent can be used, for instance when it is logged in; run
  /// before anything is changed.
  public var check: [String] = []
  /// The option that takes a permission mode, for instance `--permission-mode`, if there is one.
  public var permissionOption: String?
  /// The option that takes a list of tools, if there is one.
  public var toolsOption: String?

  public init(
    name: String, command: [String], prompt: PromptRoute = .standardInput,
    answer: AnswerForm = .text
  ) {
    self.name = name
    self.command = command
    self.prompt = prompt
    self.answer = answer
  }
}
