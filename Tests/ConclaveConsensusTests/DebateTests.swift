import BusTesting
import ConclaveBus
import ConclaveRunner
import SharedRing
import Testing

@testable import ConclaveConsensus

/// Agents hear what the others stand for, and reply.
@Suite(.blocking) struct DebateTests {
  private let panel: Panel

  init() throws { panel = try Panel() }

  private func options(_ agents: [AgentConfiguration], rounds: Int = 1) -> ConsensusOptions {
    var options = panel.options(agents)
    var debate = ConsensusOptions.Debate()
    debate.rounds = rounds
    options.debate = debate
    return options
  }

  @Test func eachHearsTheOthers() {
    let record = Consensus.run(
      options([panel.talker("a"), panel.talker("b"), panel.talker("c")]))
    #expect(record.theses.map(\.text) == ["a", "b", "c"].map { "\($0) stands for it." })
    let replies = ["a", "b", "c"].map { "\($0) says round-1." }
    #expect(record.rounds.map { $0.map(\.text) } == [replies])
    let prompt = panel.text("b-round-1")
    #expect(prompt.contains("3 agents") && prompt.contains("You are b."))
    #expect(prompt.contains("The question?") && prompt.contains("b says analysis."))
    #expect(prompt.contains("a stands for it.") && prompt.contains("c stands for it."))
    #expect(!prompt.contains("What b Stands For"))
    let synthesis = panel.text("a-synthesis")
    for agent in ["a", "b", "c"] { #expect(synthesis.contains("\(agent) says round-1.")) }
    #expect(synthesis.contains("changed its mind"))
  }

  /// The second round is no second first one.
  @Test func roundsBuildOnEachOther() {
    let record = Consensus.run(options([panel.talker("a"), panel.talker("b")], rounds: 2))
    #expect(record.rounds.count == 2)
    let first = panel.text("a-round-1")
    let second = panel.text("a-round-2")
    #expect(!first.contains("says round-1."))
    #expect(second.contains("b says round-1.") && second.contains("a says round-1."))
    let synthesis = panel.text("a-synthesis")
    #expect(synthesis.contains("b says round-1.") && synthesis.contains("b says round-2."))
  }

  @Test func whoHasNotAnsweredDoesNotDebate() {
    let fails = "\(Panel.kinds); [ $kind = analysis ] && exit 1; echo late"
    let record = Consensus.run(
      options([panel.talker("a"), panel.agent("bad", fails), panel.talker("c")]))
    #expect(record.rounds.map { $0.map(\.agent) } == [["a", "c"]])
    #expect(panel.text("a-round-1").contains("2 agents"))
  }

  @Test func oneAloneDoesNotDebate() {
    let record = Consensus.run(options([panel.talker("a"), panel.agent("bad", "exit 1")]))
    #expect(record.rounds.isEmpty)
    #expect(record.debateNotice == "it takes two answers, and there is one")
    #expect(record.standing == .belowQuorum)
  }

  @Test func aFailedReplyIsNoStatement() {
    let fails = "\(Panel.kinds); case $kind in round-*) exit 1;; esac; echo yes, THESIS: none"
    let record = Consensus.run(options([panel.talker("a"), panel.agent("b", fails)], rounds: 2))
    #expect(record.rounds.map { $0.map(\.isAnswer) } == [[true, false], [true, false]])
    #expect(!panel.text("a-round-2").contains("What b Has Replied"))
    #expect(record.standing == .consensus)
  }

  /// Who does not say what it stands for is asked, and if that fails quoted.
  @Test func thesesAreAskedForOrTaken() {
    let asked = "\(Panel.kinds); [ $kind = summary ] && echo In short && exit; echo Long. Text."
    let mute = "\(Panel.kinds); [ $kind = summary ] && exit 1; echo One. Two. Three. Four."
    let record = Consensus.run(
      options([panel.agent("a", asked), panel.agent("b", mute), panel.talker("c")]))
    #expect(record.theses.map(\.text) == ["In short", "One. Two. Three.", "c stands for it."])
    // Who is asked once more has been called once more.
    let summaries = record.calls.filter { $0.stage == "summary" }.map(\.opinion)
    #expect(summaries.map(\.agent) == ["a", "b"] && summaries.map(\.isAnswer) == [true, false])
  }

  /// One that says too much for a bus keeps nobody from saying the next thing.
  @Test func aLongReplyEndsNoDebate() {
    let long = "\(Panel.kinds); [ $kind = round-1 ] && head -c 3000000 /dev/zero | tr '\\0' '\\1'"
    let record = Consensus.run(
      options([panel.talker("a"), panel.agent("b", "\(long); echo THESIS: long")], rounds: 2))
    #expect(record.rounds.count == 2 && record.debateNotice == nil)
    #expect(record.rounds.allSatisfy { $0.allSatisfy(\.isAnswer) })
    #expect(panel.text("a-round-2").contains("bytes of the reply omitted"))
  }

  /// Whoever subscribes to the debate's topic can follow it.
  @Test func isHeldOnABus() throws {
    let bus = ChannelBus()
    let ear = try bus.subscribe("consensus", options: SubscriptionOptions(capacity: 100))
    _ = Consensus.run(options([panel.talker("a"), panel.talker("b")]), over: bus)
    var heard: [String] = []
    while case .envelope(let envelope)? = try ear.poll() {
      heard.append("\(envelope.topic) \(envelope.type) \(envelope.sender) \(envelope.payload)")
    }
    #expect(heard.count == 4)
    let payload = #"{"agent":"a","round":0,"text":"a stands for it."}"#
    #expect(heard[0] == "consensus.test-1.debate debate.finding a \(payload)")
    let reply = #"{"agent":"b","round":1,"text":"b says round-1."}"#
    #expect(heard[3] == "consensus.test-1.debate debate.rebuttal b \(reply)")
  }
}
