import ConclaveBus
import ConclaveRunner
import Glibc
import SharedRing

/// The agents of a consensus, each under a name of its own, and how they are called: any number at
/// once, each on a thread of its own with a time limit of its own, so that none has another's
/// failure to suffer from.
struct AgentPanel: Sendable {
  /// An agent that can be called, or why it cannot.
  private struct Seat: Sendable {
    let name: String
    let agent: Agent?
    let failure: String
  }

  private let seats: [Seat]
  private let scratch: String
  private let stop: StopSignal

  /// Looks for all agents; one that is missing, or whose check fails, is one that does not answer.
  init(_ options: ConsensusOptions, _ stop: StopSignal) {
    self.stop = stop
    scratch = options.scratch
    let names = AgentPanel.names(options.agents.map(\.name))
    seats = zip(names, options.agents).map { name, configuration in
      do throws(BusError) {
        let agent = try Agent(
          configuration, environment: options.environment, directory: options.directory,
          stop: stop)
        return Seat(name: name, agent: agent, failure: "")
      } catch { return Seat(name: name, agent: nil, failure: error.message) }
    }
  }

  /// The same agent may be asked twice: `claude`, `claude-2`.
  static func names(_ given: [String]) -> [String] {
    var taken: Set<String> = []
    return given.map { name in
      let more = (2...).lazy.map { "\(name)-\($0)" }
      let own = taken.contains(name) ? more.first { !taken.contains($0) } ?? name : name
      taken.insert(own)
      return own
    }
  }

  var names: [String] { seats.map(\.name) }

  /// Asks all of them at once, and waits for all.
  ///
  /// - Parameter onAnswer: called on the agents' threads, once for each.
  /// - Returns: what each has said, in the order of `questions`.
  func ask(
    _ questions: [(agent: String, prompt: String)], timeLimit: Duration,
    onAnswer: @escaping @Sendable (Opinion) -> Void = { _ in }
  ) -> [Opinion] {
    let opinions = Lock([Opinion?](repeating: nil, count: questions.count))
    let isAnswered = Event()
    for (place, question) in questions.enumerated() {
      BlockingThreads.shared.run {
        let opinion = ask(question.agent, question.prompt, timeLimit: timeLimit)
        onAnswer(opinion)
        opinions.withLock { $0[place] = opinion }
        isAnswered.signal()
      }
    }
    while true {
      let ticket = isAnswered.prepareToWait()
      let known = opinions.withLock { $0.compactMap(\.self) }
      if known.count == questions.count { return known }
      isAnswered.wait(ticket, until: nil)
    }
  }

  /// Asks one of them. Blocks.
  func ask(_ name: String, _ prompt: String, timeLimit: Duration) -> Opinion {
    guard let seat = seats.first(where: { $0.name == name }), let agent = seat.agent else {
      let failure = seats.first { $0.name == name }?.failure ?? "not on the panel"
      return Opinion(agent: name, failure: failure)
    }
    if stop.reason != nil { return Opinion(agent: name, failure: "stopped") }
    do throws(BusError) {
      // A file for the prompt, if that is its way, is its own.
      let folder = "\(scratch)/\(name)"
      unsafe mkdir(folder, 0o700)
      let (result, answer) = try agent.call(
        prompt, timeLimit: timeLimit, grace: .seconds(5), scratch: folder, stop: stop,
        onLongRun: { _ in }, onWake: { _ in })
      return AgentPanel.opinion(name, result, answer)
    } catch { return Opinion(agent: name, failure: error.message) }
  }

  private static func opinion(
    _ name: String, _ result: ChildResult, _ answer: AgentAnswer
  ) -> Opinion {
    var opinion =
      if let failure = failure(result, answer) {
        Opinion(agent: name, failure: failure)
      } else {
        Opinion(agent: name, text: String(answer.finalText.trimmed))
      }
    opinion.seconds = result.duration / .seconds(1)
    opinion.cost = answer.cost
    opinion.inputTokens = answer.inputTokens
    opinion.outputTokens = answer.outputTokens
    return opinion
  }

  private static func failure(_ result: ChildResult, _ answer: AgentAnswer) -> String? {
    switch result.cause {
    case .timeLimit:
      return "timed out after \(decimal(result.duration / .seconds(1), digits: 0)) s"
    case .stopSignal: return "stopped"
    case .itself: break
    }
    let said = [result.errors.text, answer.finalText].lazy.compactMap(lastLine).first
    let words = said.map { ": \($0)" } ?? ""
    if !result.succeeded { return result.words + words }
    if answer.isError { return "reports an error" + words }
    return answer.finalText.trimmed.isEmpty ? "has said nothing" : nil
  }

  private static func lastLine(_ text: String) -> String? {
    let line = text.split(whereSeparator: \.isNewline).last { !$0.trimmed.isEmpty }
    return line.map { String($0.trimmed.prefix(300)) }
  }
}
