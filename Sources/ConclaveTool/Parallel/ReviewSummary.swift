import ConclaveBus
import ConclaveConsensus
import ConclaveRunner

/// What a review has come to: text for people, an object for programs.
struct ReviewSummary {
  let result: FleetReview.Result

  /// Lines, the last one ended.
  var text: String {
    switch result {
    case .nothingToReview: "Review: there is nothing to review.\n"
    case .notOver: "Review: there is none before the run is over.\n"
    case .interrupted: "Review: it was interrupted.\n"
    case .failed(let error): "Review: there is none: \(error)\n"
    case .held(let record, let difference, let file):
      ([heading(record)] + parts(difference, file) + ["", record.text])
        .joined(separator: "\n").trimmed + "\n"
    }
  }

  private func heading(_ record: ConsensusRecord) -> String {
    let answers = record.answers.map(\.agent).joined(separator: ", ")
    let asked = "\(record.answers.count) of \(counted(record.analyses.count, "reviewer"))"
    let words =
      switch record.standing {
      case .consensus: "consensus of \(answers), summed up by \(record.synthesis?.agent ?? "?")"
      case .belowQuorum:
        "no consensus, but the opinion of \(answers): \(asked) answered"
          + (record.independentAnswers < record.answers.count ? ", which are one agent" : "")
      case .digest: "nobody has summed up what \(answers) say; all of it follows"
      case .nothing: "there is none: no reviewer has answered"
      case .interrupted: "interrupted: \(asked) had answered"
      }
    let failures = record.analyses.compactMap { opinion in
      opinion.failure.map { "  \(opinion.agent): \($0)" }
    }
    return (["Review: \(words)"] + failures).joined(separator: "\n")
  }

  private func parts(_ difference: ReviewDifference, _ file: String?) -> [String] {
    let count = counted(difference.omissions.count, "file")
    return [
      difference.omissions.isEmpty ? nil : "  without \(count) of the difference",
      file.map { "  all that was said: \($0)" },
    ].compactMap(\.self)
  }

  var json: JSONObject {
    var object = JSONObject()
    switch result {
    case .nothingToReview: object.add("standing", "nothing to review")
    case .notOver: object.add("standing", "the run is not over")
    case .interrupted: object.add("standing", "interrupted")
    case .failed(let error):
      object.add("standing", "failed")
      object.add("error", error.message)
      object.add("hint", error.hint)
    case .held(let record, let difference, let file):
      object.add("standing", record.standing.rawValue)
      object.add("degraded", record.standing != .consensus)
      object.add("text", record.text)
      object.add("chairman", record.synthesis?.agent)
      object.add("quorum", record.quorum)
      object.add("debate_rounds", record.rounds.count)
      object.add("no_debate", record.debateNotice)
      object.add("seconds", record.seconds)
      object.add("cost_usd", record.cost, digits: 6)
      object.add("reviewers", record.analyses.map(ReviewSummary.json))
      object.add("calls", record.calls.map(ReviewSummary.json))
      object.add("not_shown", difference.omissions.prefix(1000).map(ReviewSummary.json))
      object.add("not_shown_count", difference.omissions.count)
      object.add("file", file)
    }
    return object
  }

  private static func json(_ opinion: Opinion) -> JSONObject {
    var object = JSONObject()
    object.add("agent", opinion.agent)
    object.add("failure", opinion.failure)
    object.add("seconds", opinion.seconds)
    object.add("cost_usd", opinion.cost, digits: 6)
    return object
  }

  private static func json(_ call: ConsensusRecord.Call) -> JSONObject {
    var object = json(call.opinion)
    object.add("stage", call.stage)
    return object
  }

  private static func json(_ omission: ReviewDifference.Omission) -> JSONObject {
    var object = JSONObject()
    object.add("path", omission.path)
    object.add("reason", omission.reason)
    return object
  }
}
