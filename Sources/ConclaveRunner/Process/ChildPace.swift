/// Decides, by the clock alone, when a program is warned of, asked to end, and killed.
struct ChildPace {
  enum Step: Equatable {
    case nothing
    /// 60 % of the time are over.
    case warn(Duration)
    case ask
    case kill
  }

  /// Why the program is to end; ``ChildResult/Cause/itself`` as long as it need not.
  private(set) var cause = ChildResult.Cause.itself
  private let limit: Duration?
  private let grace: Duration
  /// How long it may go on when it is to be stopped.
  private let patience: Duration
  private let clock = SuspendingClock()
  private let start: SuspendingClock.Instant
  private var hasWarned = false
  private var nextKill: SuspendingClock.Instant?
  private var stopIsDue: SuspendingClock.Instant?

  /// The time does not run while the machine sleeps.
  init(limit: Duration?, grace: Duration, patience: Duration = .zero) {
    self.limit = limit
    self.grace = grace
    self.patience = patience
    start = clock.now
  }

  /// Whether it is not known yet that it is to be stopped, nor is it to end for another reason.
  var heedsStop: Bool { cause == .itself && stopIsDue == nil }

  var elapsed: Duration { start.duration(to: clock.now) }

  /// What is due now. Each step comes once, but killing comes again and again: what was started
  /// between looking for processes and killing them must go, too.
  mutating func next(isStopped: Bool) -> Step {
    if let nextKill {
      guard clock.now >= nextKill else { return .nothing }
      self.nextKill = clock.now.advanced(by: .milliseconds(100))
      return .kill
    }
    if isStopped {
      let due = stopIsDue ?? clock.now.advanced(by: patience)
      stopIsDue = due
      if clock.now >= due { return ask(.stopSignal) }
    }
    guard let limit else { return .nothing }
    if elapsed >= limit { return ask(.timeLimit) }
    if !hasWarned, elapsed >= limit * 0.6 {
      hasWarned = true
      return .warn(elapsed)
    }
    return .nothing
  }

  private mutating func ask(_ cause: ChildResult.Cause) -> Step {
    self.cause = cause
    nextKill = clock.now.advanced(by: grace)
    return .ask
  }

  /// How long to sleep at most; never for ever, since descriptors can be short.
  var milliseconds: Int32 {
    var due = Duration.seconds(1)
    if let stopIsDue, nextKill == nil { due = min(due, clock.now.duration(to: stopIsDue)) }
    if let nextKill {
      due = min(due, clock.now.duration(to: nextKill))
    } else if let limit {
      due = min(due, limit - elapsed)
      if !hasWarned { due = min(due, limit * 0.6 - elapsed) }
    }
    return Int32(max(0, (due / .milliseconds(1)).rounded(.up)))
  }
}
