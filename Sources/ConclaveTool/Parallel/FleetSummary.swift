import ConclaveBus
import ConclaveRunner

/// What a run of a plan has come to: a table for people, an object for programs.
struct FleetSummary {
  let outcome: FleetOutcome
  var review: FleetReview.Result?

  /// That of the run, whatever the review has come to; but who interrupts a review gets to know
  /// that it is none.
  var exitCode: ExitCode {
    review?.isInterrupted == true ? Interruption.currentExitCode ?? .interrupted : runExitCode
  }

  private var runExitCode: ExitCode {
    switch outcome.end {
    case .completed: .success
    case .failed, .stopped: .negative
    case .obstructed: .conflict
    case .hindered(let error): ExitCode(error.code)
    case .interrupted: Interruption.currentExitCode ?? .interrupted
    }
  }

  var text: String {
    var table = TextTable([
      ("TASK", .right), ("STATUS", .left), ("ITERATIONS", .right), ("TIME", .right),
      ("COST", .right), ("COMMIT OR BRANCH", .left), ("TITLE", .left),
    ])
    for task in outcome.tasks {
      let place = task.commit.isEmpty ? task.branch : String(task.commit.prefix(12))
      table.add(
        "\(task.id)", task.status, task.iterations > 0 ? "\(task.iterations)" : "",
        task.seconds > 0 ? FleetSummary.time(task.seconds) : "",
        task.cost > 0 ? "\(decimal(task.cost, digits: 2)) USD" : "", place, task.title)
    }
    let reasons = outcome.tasks.filter { !$0.reason.isEmpty }.map { task in
      "  task \(task.id): \(task.reason)"
        + (task.log.isEmpty || ["skipped", "merged"].contains(task.status)
          ? "" : "; see \(task.log)")
    }
    let lines =
      [table.text] + (reasons.isEmpty ? [] : ["", reasons.joined(separator: "\n") + "\n"])
      + (review.map { ["\n", ReviewSummary(result: $0).text] } ?? [])
    return lines.map { line in
      line.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }
        .joined(separator: "\n")
    }.joined()
  }

  /// `4 s`, `12 min 3 s`.
  private static func time(_ seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(), 1e9))
    return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
  }

  var json: JSONObject {
    var object = JSONObject()
    object.add("run", outcome.run)
    object.add("end", word)
    object.add("schedule", outcome.schedule.rawValue)
    object.add("branch", outcome.branch)
    object.add("base", outcome.base)
    object.add("head", outcome.head)
    object.add("seconds", outcome.seconds)
    object.add("cost_usd", outcome.cost, digits: 6)
    object.add("broken_waves", outcome.brokenWaves)
    object.add("journal", outcome.journal)
    object.add("tasks", outcome.tasks.map(FleetSummary.json))
    if let review { object.add("review", ReviewSummary(result: review).json) }
    return object
  }

  private var word: String {
    switch outcome.end {
    case .completed: "completed"
    case .failed: "failed"
    case .interrupted: "interrupted"
    case .hindered: "hindered"
    case .stopped: "stopped"
    case .obstructed: "obstructed"
    }
  }

  private static func json(_ task: FleetOutcome.Task) -> JSONObject {
    var object = JSONObject()
    object.add("task", task.id)
    object.add("title", task.title)
    object.add("status", task.status)
    object.add("wave", task.wave)
    object.add("attempts", task.attempts)
    object.add("iterations", task.iterations)
    object.add("seconds", task.seconds)
    object.add("cost_usd", task.cost, digits: 6)
    object.add("reason", task.reason)
    object.add("branch", task.branch)
    object.add("commit", task.commit)
    object.add("log", task.log)
    return object
  }
}
