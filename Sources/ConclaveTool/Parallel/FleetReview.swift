import ConclaveBus
import ConclaveConsensus
import ConclaveRunner
import SharedRing

/// The review of what a run has merged, and what came of it. Whatever that is, the run's outcome
/// and its exit code stay what they are.
final class FleetReview: Sendable {
  /// What came of it.
  enum Result: Sendable {
    case nothingToReview
    /// The run is not.
    case notOver
    case interrupted
    case failed(BusError)
    case held(ConsensusRecord, ReviewDifference, file: String?)

    var isInterrupted: Bool {
      switch self {
      case .interrupted: true
      case .held(let record, _, _): record.standing == .interrupted
      case .nothingToReview, .notOver, .failed: false
      }
    }
  }

  private let options: FleetReviewOptions
  private let stop: StopSignal
  private let say: @Sendable (String) -> Void
  private let state = Lock(Result?.none)

  /// - Parameter say: a line for people, told on any thread.
  init(
    _ options: FleetReviewOptions, _ stop: StopSignal, _ say: @escaping @Sendable (String) -> Void
  ) {
    self.options = options
    self.stop = stop
    self.say = say
  }

  /// nil before ``hold(_:)`` has returned.
  var result: Result? { state.withLock { $0 } }

  /// Blocks until all have answered.
  func hold(_ place: FleetReviewPlace) {
    let result: Result
    do throws(BusError) {
      switch place.standing {
      case .isReady: result = try review(place)
      case .nothingMerged: result = .nothingToReview
      case .notOver: result = .notOver
      }
    } catch {
      result = stop.reason == nil ? .failed(error) : .interrupted
    }
    if let left = place.removeCopies() { say("\(left) stays") }
    state.withLock { $0 = result }
  }

  private func review(_ place: FleetReviewPlace) throws(BusError) -> Result {
    let room = room
    let difference = try place.difference(limit: room.difference, stop: stop)
    if difference.isCutOff { return .interrupted }
    guard difference.files > 0 else {
      throw BusError(
        .messageTooLarge,
        "nothing of the difference can be shown to a reviewer: "
          + "\(counted(difference.omissions.count, "file")) left out",
        hint: "look at it by hand: git diff \(place.outcome.base.prefix(12))")
    }
    sayOmissions(difference)
    try place.makeCopies(options.agents.count)
    if stop.reason != nil { return .interrupted }
    let seats = options.agents.enumerated().map { number, agent in
      ConsensusOptions.Seat(agent, directory: place.copy(number + 1))
    }
    var consensus = ConsensusOptions(
      ReviewQuestion.make(place, difference, taskLimit: room.tasks), seats: seats,
      scratch: place.scratch, environment: place.environment, session: place.outcome.run)
    consensus.debate = options.debate
    consensus.timeLimit = options.timeLimit
    let say = say
    let record = Consensus.run(consensus, stop: stop) { say("review: \($0.sentence)") }
    if let words = place.movedBranch() { say("review: \(words)") }
    // What reviewers have filled the disk with is not needed any more.
    place.removeCopies()
    return .held(record, difference, file: keep(record, difference, place))
  }

  private func sayOmissions(_ difference: ReviewDifference) {
    let most = 5
    for omission in difference.omissions.prefix(most) { say("review: without \(omission.line)") }
    let more = difference.omissions.count - most
    if more > 0 { say("review: without \(counted(more, "more file"))") }
  }

  /// How many bytes are shown of the difference and of the tasks: less where a prompt is an
  /// argument, which must have room for what others say as well.
  private var room: (difference: Int, tasks: Int) {
    options.agents.contains { $0.prompt.limit != nil } ? (40_000, 12_000) : (200_000, 64_000)
  }

  private func keep(
    _ record: ConsensusRecord, _ difference: ReviewDifference, _ place: FleetReviewPlace
  ) -> String? {
    let omissions = difference.omissions.map { "- \($0.line)\n" }.joined()
    let rest = omissions.isEmpty ? "" : "\n## What Was Not Shown\n\n\(omissions)"
    do throws(BusError) {
      return try place.keep(ConsensusReport.markdown(record) + rest, as: "review")
    } catch {
      say("the review cannot be kept: \(error)")
      return nil
    }
  }
}
