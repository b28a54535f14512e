import ConclaveBus
import ConclaveRunner

/// A record as text.
public enum ConsensusReport {
  /// Everything, for people: what came of it first, then how.
  public static func markdown(_ record: ConsensusRecord) -> String {
    let doubt = record.standing == .consensus ? "" : ": \(record.standing.rawValue)"
    var parts = ["# \(record.question.title)\(doubt)", summary(record)]
    if record.answers.count > 1 {
      parts.append("## \(record.synthesis == nil ? "No Synthesis" : "Synthesis")")
      parts.append(record.synthesis?.text ?? "Nobody has made one. What was said stands below.")
    }
    parts += said(record)
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// All that was said, one behind the other; empty when that is nothing.
  static func digest(_ record: ConsensusRecord) -> String {
    record.answers.isEmpty ? "" : said(record).joined(separator: "\n\n")
  }

  private static func said(_ record: ConsensusRecord) -> [String] {
    var parts = record.analyses.map { section("The Answer of \($0.agent)", $0) }
    if !record.theses.isEmpty {
      let lines = record.theses.map { "- \($0.agent): \($0.text)" }
      parts.append("## What They Stand For\n\n\(lines.joined(separator: "\n"))")
    }
    if let notice = record.debateNotice {
      let what = record.rounds.isEmpty ? "There was no debate" : "The debate ended early"
      parts.append("\(what): \(notice).")
    }
    for (number, round) in record.rounds.enumerated() {
      parts += round.map { section("The Reply of \($0.agent) in Round \(number + 1)", $0) }
    }
    return parts
  }

  private static func section(_ heading: String, _ opinion: Opinion) -> String {
    "## \(heading)\n\n\(opinion.failure.map { "None: \($0)." } ?? opinion.text)"
  }

  private static func summary(_ record: ConsensusRecord) -> String {
    var lines = [
      "- Standing: \(record.standing.rawValue): \(record.answers.count) of "
        + "\(record.analyses.count) have answered, \(record.independentAnswers) of them different "
        + "agents; it takes \(record.quorum) for a consensus"
    ]
    for opinion in record.chairmen {
      lines.append("- Synthesis by \(opinion.agent): \(opinion.failure ?? "below")")
    }
    lines.append(
      "- \(decimal(record.seconds, digits: 1)) s, \(counted(record.calls.count, "call"))"
        + (record.cost > 0 ? ", \(decimal(record.cost, digits: 2)) USD" : ""))
    lines += record.calls.map { call in
      let opinion = call.opinion
      return "  - \(opinion.agent), \(call.stage): \(decimal(opinion.seconds, digits: 1)) s, "
        + "\(opinion.inputTokens) tokens in, \(opinion.outputTokens) out"
        + (opinion.failure.map { ", failed: \($0)" } ?? "")
    }
    return lines.joined(separator: "\n")
  }
}
