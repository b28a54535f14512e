import CShim
import ConclaveBus
import Glibc

/// One publisher or subscriber, or the mirror: opens the bus, says that it is ready, does its work,
/// tells what came of it.
package struct StressWorker: Sendable {
  package let plan: StressPlan
  package let role: WorkerRole

  package init(plan: StressPlan, role: WorkerRole) {
    self.plan = plan
    self.role = role
  }

  /// The worker process's whole life, with its orders on standard input and its reports on standard
  /// output. Ends at once when the coordinator is gone, even in the middle of a publish that waits.
  ///
  /// - Returns: whether it did its work.
  package func runAsProcess(directory: String) -> Bool {
    let link = WorkerLink(orders: STDIN_FILENO, reports: STDOUT_FILENO)
    let bus: any MessageBus
    do throws(BusError) {
      bus = try plan.open(directory, for: role)
    } catch {
      link.send(.failed(error))
      return false
    }
    // The follower is not joined: it ends with the process.
    return run(on: bus, link) { _exit(EXIT_FAILURE) }.isDone
  }

  /// How a worker ended.
  struct End {
    let isDone: Bool
    /// The thread that follows the orders until the coordinator hangs up.
    var follower: StressThread?
  }

  /// Does the work; whatever goes wrong is reported.
  ///
  /// - Parameter onAbandoned: see ``WorkerLink/follow(onAbandoned:)``.
  func run(
    on bus: any MessageBus, _ link: WorkerLink, onAbandoned: @escaping @Sendable () -> Void
  ) -> End {
    var follower: StressThread?
    do throws(BusError) {
      let report =
        switch role {
        case .publisher(let index):
          try publish(index, bus, link) { () throws(BusError) in
            follower = try link.follow(onAbandoned: onAbandoned)
          }
        case .subscriber:
          try subscribe(bus, link) { () throws(BusError) in
            follower = try link.follow(onAbandoned: onAbandoned)
          }
        case .mirror:
          try mirror(bus, link) { () throws(BusError) in
            follower = try link.follow(onAbandoned: onAbandoned)
          }
        }
      if let report { link.finish(report) }
      return End(isDone: report != nil, follower: follower)
    } catch {
      link.finish(.failed(error))
      return End(isDone: false, follower: follower)
    }
  }

  /// nil when there was no start.
  private func publish(
    _ index: Int, _ bus: any MessageBus, _ link: WorkerLink, onStart: () throws(BusError) -> Void
  ) throws(BusError) -> WorkerReport? {
    let publisher = try bus.publisher(
      topic: Topic(StressNames.topic), sender: StressNames.sender(index), type: StressNames.type)
    link.send(.ready)
    guard let start = link.awaitStart() else { return nil }
    try onStart()
    var run = PublishRun(plan, index: index, publisher: publisher, link: link, start: start)
    var result = try run.run()
    result.backPressureWaits = (bus as? SharedMemoryBus)?.backPressureWaits
    return .published(result)
  }

  /// nil when there was no start.
  private func subscribe(
    _ bus: any MessageBus, _ link: WorkerLink, onStart: () throws(BusError) -> Void
  ) throws(BusError) -> WorkerReport? {
    let subscription = try bus.subscribe(
      to: TopicPrefix(StressNames.topic), options: plan.subscriptionOptions)
    link.send(.ready)
    guard link.awaitStart() != nil else { return nil }
    try onStart()
    var run = SubscribeRun(plan, subscription: subscription, link: link)
    return .received(try run.run())
  }

  /// nil when there was no start. The bus mirrors by itself; this only watches.
  private func mirror(
    _ bus: any MessageBus, _ link: WorkerLink, onStart: () throws(BusError) -> Void
  ) throws(BusError) -> WorkerReport? {
    guard let bus = bus as? MirroredBus else { return nil }
    link.send(.ready)
    guard link.awaitStart() != nil else { return nil }
    try onStart()
    return try MirrorRun(bus.directory, link).run().map { .mirrored($0) }
  }
}
