import CShim
import ConclaveBus
import Glibc

/// One publisher or subscriber: opens the bus, says that it is ready, does its work, tells what came
/// of it.
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
      bus = try plan.transport.open(directory)
    } catch {
      link.send(.failed(error))
      return false
    }
    // Not joined: it ends with the process.
    return run(on: bus, link) { _exit(EXIT_FAILURE) } != nil
  }

  /// Does the work; whatever goes wrong is reported.
  ///
  /// - Parameter onAbandoned: see ``WorkerLink/follow(onAbandoned:)``.
  /// - Returns: the thread that follows the orders to their end; nil when something went wrong.
  func run(
    on bus: any MessageBus, _ link: WorkerLink, onAbandoned: @escaping @Sendable () -> Void
  ) -> StressThread? {
    do throws(BusError) {
      switch role {
      case .publisher(let index): return try publish(index, bus, link, onAbandoned)
      case .subscriber: return try subscribe(bus, link, onAbandoned)
      }
    } catch {
      link.send(.failed(error))
      return nil
    }
  }

  private func publish(
    _ index: Int, _ bus: any MessageBus, _ link: WorkerLink,
    _ onAbandoned: @escaping @Sendable () -> Void
  ) throws(BusError) -> StressThread? {
    let publisher = try bus.publisher(
      topic: Topic(StressNames.topic), sender: StressNames.sender(index), type: StressNames.type)
    link.send(.ready)
    guard let start = link.awaitStart() else { return nil }
    let follower = try link.follow(onAbandoned: onAbandoned)
    var run = PublishRun(plan, index: index, publisher: publisher, start: start)
    var result = try run.run()
    result.backPressureWaits = (bus as? SharedMemoryBus)?.backPressureWaits
    link.finish(.published(result))
    return follower
  }

  private func subscribe(
    _ bus: any MessageBus, _ link: WorkerLink, _ onAbandoned: @escaping @Sendable () -> Void
  ) throws(BusError) -> StressThread? {
    let subscription = try bus.subscribe(
      to: TopicPrefix(StressNames.topic), options: plan.subscriptionOptions)
    link.send(.ready)
    guard link.awaitStart() != nil else { return nil }
    let follower = try link.follow(onAbandoned: onAbandoned)
    var run = SubscribeRun(plan, subscription: subscription, link: link)
    link.finish(.received(try run.run()))
    return follower
  }
}
