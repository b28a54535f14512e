public import ConclaveBus
import Glibc

/// An agent that was found and can be called.
public struct Agent: Sendable {
  public let configuration: AgentConfiguration
  /// The path of its program.
  public let program: String
  private let environment: [String: String]
  private let directory: String

  /// Looks for the agent, and runs its check, if it has one.
  ///
  /// - Parameter directory: where it works; absolute.
  /// - Throws: `notFound`, `permissionDenied`, or `unsupported` when its check fails.
  public init(
    _ configuration: AgentConfiguration, environment: [String: String], directory: String,
    stop: StopSignal?
  ) throws(BusError) {
    do throws(BusError) {
      program = try Executable.find(
        configuration.command.first ?? "", environment: environment, directory: directory)
      try Executable.requireStartable(program, environment: environment, directory: directory)
    } catch {
      throw BusError(
        error.code, "the agent \(configuration.name) cannot be run: \(error.message)",
        hint: "\(error.hint), or choose another one with --agent")
    }
    self.configuration = configuration
    self.environment = environment
    self.directory = directory
    if !configuration.check.isEmpty { try runCheck(stop) }
  }

  private func runCheck(_ stop: StopSignal?) throws(BusError) {
    var request = ChildRequest(
      try Executable.find(
        configuration.check[0], environment: environment, directory: directory),
      Array(configuration.check.dropFirst()), environment: environment, directory: directory)
    request.timeLimit = .seconds(60)
    request.mergesErrors = true
    let result = try ChildRun.run(request, stop: stop)
    guard !result.succeeded else { return }
    let words = result.output.text.split(whereSeparator: \.isNewline).last ?? ""
    throw BusError(
      .unsupported,
      "the agent \(configuration.name) is not ready: \(shown(words)), \(result.words)",
      hint: "log in to it, then try again")
  }

  /// Calls it once. Blocks.
  ///
  /// - Parameters:
  ///   - scratch: where a file for the prompt may be put.
  ///   - onLongRun: as in ``ChildRun/run(_:stop:onLongRun:onWake:)``; so is `onWake`.
  /// - Throws: `messageTooLarge` for a prompt that is an argument and does not fit one.
  package func call(
    _ prompt: String, timeLimit: Duration, grace: Duration, scratch: String, stop: StopSignal?,
    onLongRun: (Duration) -> Void, onWake: (Duration) -> Void
  ) throws(BusError) -> (ChildResult, AgentAnswer) {
    try requireFitting(prompt)
    var arguments = Array(configuration.command.dropFirst())
    var request = ChildRequest(
      program, environment: environment, directory: directory)
    switch configuration.prompt {
    case .standardInput: request.input = Array(prompt.utf8)
    case .argument:
      if let place = arguments.firstIndex(of: "{prompt}") {
        arguments[place] = prompt
      } else {
        arguments.append(prompt)
      }
    case .file:
      let path = "\(scratch)/prompt.md"
      try DurableFile.write(Array(prompt.utf8), to: path)
      if let place = arguments.firstIndex(where: { $0.contains("{file}") }) {
        arguments[place] = arguments[place].replacing("{file}", with: path)
      } else {
        arguments.append(path)
      }
    }
    request.arguments = arguments
    request.timeLimit = timeLimit
    request.grace = grace
    let result = try ChildRun.run(request, stop: stop, onLongRun: onLongRun, onWake: onWake)
    return (result, AgentAnswer(result.output, form: configuration.answer, prompt: prompt))
  }
}
