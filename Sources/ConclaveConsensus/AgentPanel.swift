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
    /// The first one with the same agent.
    let origin: String
    /// For a file with its prompt.
    let folder: String
    /// The most that a prompt may have, in bytes.
    let limit: Int
  }

  private let seats: [Seat]
  private let stop: StopSignal

  /// Looks for all agents; one that is missing, or whose check fails, is one that does not answer.
  init(_ options: ConsensusOptions, _ stop: StopSignal) {
    self.stop = stop
    let configurations = options.seats.map(\.agent)
    let names = AgentPanel.names(configurations.map(\.name))
    seats = options.seats.indices.map { number in
      let configuration = configurations[number]
      let origin = names[configurations.firstIndex(of: configuration) ?? number]
      var (agent, failure): (Agent?, String) = (nil, "")
      do throws(BusError) {
        agent = try Agent(
          configuration, environment: options.environment,
          directory: options.seats[number].directory, stop: stop)
      } catch { failure = error.message }
      return Seat(
        name: names[number], agent: agent, failure: failure, origin: origin,
        folder: "\(options.scratch)/prompt-\(number + 1)",
        limit: configuration.prompt.limit ?? .max)
    }
  }

  /// The same agent may be asked twice: `claude`, `claude-2`.
  static func names(_ given: [String]) -> [String] {
    var taken: Set<String> = []
    return given.map { name in
      let name = plain(name)
      let more = (2...).lazy.map { "\(name)-\($0)" }
      let own = taken.contains(name) ? more.first { !taken.contains($0) } ?? name : name
      taken.insert(own)
      return own
    }
  }

  /// A name is a line, and not a long one, whatever an agent's description says: it goes into
  /// headings, and is the sender of messages.
  private static func plain(_ name: String) -> String {
    let scalars = name.unicodeScalars.map { $0.properties.isWhitespace ? " " : $0 }
    let seen = scalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    let text = String(String.UnicodeScalarView(seen.prefix(40))).trimmed
    return text.isEmpty ? "agent" : String(text)
  }

  var names: [String] { seats.map(\.name) }

  /// Of each name the first one that the same agent has.
  var origins: [String: String] {
    Dictionary(seats.map { ($0.name, $0.origin) }) { first, _ in first }
  }

  /// The most that a prompt for the agent may have, in bytes.
  func limit(of name: String) -> Int { seats.first { $0.name == name }?.limit ?? .max }

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
      unsafe mkdir(seat.folder, 0o700)
      let (result, answer) = try agent.call(
        prompt, timeLimit: timeLimit, grace: .seconds(5), scratch: seat.folder, stop: stop,
        onLongRun: { _ in }, onWake: { _ in })
      return AgentPanel.opinion(name, result, answer, timeLimit)
    } catch { return Opinion(agent: name, failure: error.message) }
  }

  private static func opinion(
    _ name: String, _ result: ChildResult, _ answer: AgentAnswer, _ limit: Duration
  ) -> Opinion {
    var opinion =
      if let failure = failure(result, answer, limit) {
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

  private static func failure(
    _ result: ChildResult, _ answer: AgentAnswer, _ limit: Duration
  ) -> String? {
    switch result.cause {
    case .timeLimit: return "timed out after \(Int((limit / .seconds(1)).rounded())) s"
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
