import ConclaveBus

/// Who is where in a stress run: decides what is to be done when a worker reports, and does nothing
/// itself.
struct StressState {
  enum Action: Equatable {
    /// All are ready: release them.
    case start
    /// All publishers are done: tell the subscribers.
    case announceEnd
    /// All are done.
    case finish
  }

  private enum Phase {
    case starting
    case working
    case done
  }

  private var phases: [WorkerRole: Phase]
  private(set) var published: [Int: PublisherResult] = [:]
  private(set) var received: [Int: SubscriberResult] = [:]
  /// nil without a mirror, and when it was killed.
  private(set) var mirrored: MirrorResult?
  /// How many messages each worker has published or accounted for.
  private var counts: [WorkerRole: UInt64] = [:]
  /// Rises whenever anything moved.
  private(set) var moves = 0

  init(_ plan: StressPlan) {
    let roles = StressState.roles(plan)
    phases = Dictionary(uniqueKeysWithValues: roles.map { ($0, .starting) })
  }

  /// The mirror first, then subscribers.
  static func roles(_ plan: StressPlan) -> [WorkerRole] {
    (plan.mirror == .none ? [] : [.mirror])
      + (0..<plan.subscribers).map { .subscriber($0) }
      + (0..<plan.publishers).map { .publisher($0) }
  }

  /// Takes a report in.
  ///
  /// - Throws: what the worker failed with, or that it is not its turn to say this.
  mutating func receive(_ report: WorkerReport, from role: WorkerRole) throws(BusError) -> [Action]
  {
    switch (report, role, phases[role]) {
    case (.failed(let error), _, _):
      throw BusError(error.code, "\(role.name): \(error.message)", hint: error.hint)
    case (.ready, _, .starting):
      moves += 1
      phases[role] = .working
      return phases.values.contains(.starting) ? [] : [.start]
    case (.progress(let count), _, .working):
      if counts.updateValue(count, forKey: role) ?? 0 != count { moves += 1 }
      return []
    case (.published(let result), .publisher(let index), .working):
      published[index] = result
      counts[role] = result.published
      return finish(role)
    case (.received(let result), .subscriber(let index), .working):
      received[index] = result
      counts[role] = result.delivered + result.gapsReported
      return finish(role)
    case (.mirrored(let result), .mirror, .working):
      mirrored = result
      return finish(role)
    default:
      throw BusError(.system, "\(role.name) said something out of turn")
    }
  }

  /// How many messages the slowest subscriber has accounted for; without subscribers, how many were
  /// published.
  var progress: UInt64 {
    let roles = phases.keys
    let received = roles.filter(\.isSubscriber).map { counts[$0] ?? 0 }
    return received.min() ?? roles.filter(\.isPublisher).reduce(0) { $0 + (counts[$1] ?? 0) }
  }

  /// Those that are not done yet.
  var unfinished: [WorkerRole] { phases.filter { $0.value != .done }.map(\.key) }

  /// Whether all is well without this worker, which has died: publishers go on for the mirror.
  func canLose(_ role: WorkerRole) -> Bool { role == .mirror && phases[role] == .working }

  /// The worker has died, and is done.
  mutating func lose(_ role: WorkerRole) -> [Action] { finish(role) }

  func isReady(_ role: WorkerRole) -> Bool { phases[role] != .starting }

  func isDone(_ role: WorkerRole) -> Bool { phases[role] == .done }

  private mutating func finish(_ role: WorkerRole) -> [Action] {
    moves += 1
    phases[role] = .done
    var actions: [Action] = []
    if role.isPublisher, !unfinished.contains(where: \.isPublisher) { actions.append(.announceEnd) }
    if unfinished.isEmpty { actions.append(.finish) }
    return actions
  }
}
