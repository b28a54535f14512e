public import ConclaveBus
public import ConclaveRunner

/// Several agents answer one question, each alone; if wanted they debate; one of them makes one
/// answer of it. The three stages are those of LLM councils (Karpathy's llm-council, 2025): what is
/// added is that a failure is said wherever it counts, and that no stage can take another one's
/// time.
///
/// ``run(_:over:stop:onEvent:)`` blocks the calling thread; call it on one of your own.
public struct Consensus {
  private let options: ConsensusOptions
  private let bus: any MessageBus
  private let panel: AgentPanel
  private let stop: StopSignal
  private let say: @Sendable (ConsensusEvent) -> Void
  private var record: ConsensusRecord

  /// Never throws: what has failed is in the record, and ``ConsensusRecord/standing`` says what the
  /// result is worth.
  ///
  /// - Parameters:
  ///   - bus: where the debate is held, on the topic `consensus.SESSION.debate`; whoever subscribes
  ///     to that can follow it.
  ///   - stop: ends it early; what there is so far is in the record.
  public static func run(
    _ options: ConsensusOptions, over bus: any MessageBus = ChannelBus(),
    stop: StopSignal = StopSignal(),
    onEvent: @escaping @Sendable (ConsensusEvent) -> Void = { _ in }
  ) -> ConsensusRecord {
    let clock = SuspendingClock()
    let start = clock.now
    var consensus = Consensus(options, bus, stop, onEvent)
    consensus.analyse()
    if let debate = options.debate, stop.reason == nil { consensus.hold(debate) }
    consensus.conclude()
    consensus.record.isInterrupted = stop.reason != nil && consensus.record.synthesis == nil
    consensus.record.seconds = start.duration(to: clock.now) / .seconds(1)
    return consensus.record
  }

  private init(
    _ options: ConsensusOptions, _ bus: any MessageBus, _ stop: StopSignal,
    _ say: @escaping @Sendable (ConsensusEvent) -> Void
  ) {
    self.options = options
    self.bus = bus
    self.stop = stop
    self.say = say
    panel = AgentPanel(options, stop)
    record = ConsensusRecord(options.question)
    record.quorum = max(2, options.quorum)
    record.origins = panel.origins
  }

  // MARK: Answers

  private mutating func analyse() {
    let prompt = ConsensusPrompt.analysis(options.question)
    let say = say
    say(.began(agents: panel.names))
    record.analyses = panel.ask(panel.names.map { ($0, prompt) }, timeLimit: options.timeLimit) {
      say(.answered($0))
    }
  }

  // MARK: Debate

  private mutating func hold(_ debate: ConsensusOptions.Debate) {
    let debaters = record.answers
    guard debaters.count > 1 else {
      let count = debaters.isEmpty ? "none" : "one"
      return skipDebate("it takes two answers, and there is \(count)")
    }
    do throws(BusError) {
      var floor = try DebateFloor(bus, session: options.session)
      summarise(debaters, debate)
      try floor.say(
        record.theses.map { DebateStatement(agent: $0.agent, round: 0, text: $0.text) })
      for round in 1...max(1, debate.rounds) where stop.reason == nil {
        try hold(round, of: debaters, debate, on: &floor)
      }
    } catch { skipDebate(error.message) }
  }

  private mutating func skipDebate(_ reason: String) {
    record.debateNotice = reason
    say(.noDebate(reason))
  }

  /// Finds out what each stands for. Those who do not say it themselves are asked once more, and
  /// those who do not answer that have their first sentences taken.
  private mutating func summarise(_ debaters: [Opinion], _ debate: ConsensusOptions.Debate) {
    let silent = debaters.filter { Thesis.stated(in: $0.text) == nil }
    let panel = panel
    record.summaries = panel.ask(
      silent.map { debater in
        let prompt = ConsensusPrompt.fitting(panel.limit(of: debater.agent)) {
          ConsensusPrompt.summary(debater, $0)
        }
        return (debater.agent, prompt)
      }, timeLimit: debate.timeLimit)
    let summaries = record.summaries
    record.theses = debaters.map { debater in
      let summary = summaries.first { $0.agent == debater.agent && $0.isAnswer }?.text
      return Thesis(
        agent: debater.agent,
        text: Thesis.stated(in: debater.text) ?? summary ?? Thesis.beginning(of: debater.text))
    }
  }

  private mutating func hold(
    _ round: Int, of debaters: [Opinion], _ debate: ConsensusOptions.Debate,
    on floor: inout DebateFloor
  ) throws(BusError) {
    let say = say
    say(.roundBegan(round, agents: debaters.map(\.agent)))
    let heard = floor.heard
    let (question, panel) = (options.question, panel)
    let replies = panel.ask(
      debaters.map { debater in
        let prompt = ConsensusPrompt.fitting(panel.limit(of: debater.agent)) {
          ConsensusPrompt.rebuttal(question, own: debater, heard: heard, round: round, $0)
        }
        return (debater.agent, prompt)
      }, timeLimit: debate.timeLimit
    ) { say(.replied($0, round: round)) }
    record.rounds.append(replies)
    try floor.say(
      replies.filter(\.isAnswer).map { reply in
        // With the line that says what is missing no longer than a prompt shows: cut a second
        // time it would say too little.
        let text = PromptText.beginning(
          reply.text, limit: ConsensusPrompt.answerLimit - 100, of: "the reply")
        return DebateStatement(agent: reply.agent, round: round, text: text)
      })
  }

  // MARK: Synthesis

  /// Asks one after the other, first those who have answered, each with the whole time.
  private mutating func conclude() {
    let answered = record.answers.map(\.agent)
    guard answered.count > 1 else { return }
    let record = record
    for agent in answered + panel.names.filter({ !answered.contains($0) }) {
      if stop.reason != nil { return }
      say(.chairmanAsked(agent))
      let prompt = ConsensusPrompt.fitting(panel.limit(of: agent)) {
        ConsensusPrompt.synthesis(record, $0)
      }
      let opinion = panel.ask(agent, prompt, timeLimit: options.timeLimit)
      self.record.chairmen.append(opinion)
      say(.chaired(opinion))
      if opinion.isAnswer { return }
    }
  }
}
