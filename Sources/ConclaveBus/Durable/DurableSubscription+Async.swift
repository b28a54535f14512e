import SharedRing
import Synchronization

extension DurableSubscription: AsyncSequence {
  public typealias Element = DurableDelivery
  public typealias Failure = BusError

  public struct AsyncIterator: AsyncIteratorProtocol {
    let subscription: DurableSubscription

    /// The next delivery, or nil at the end or when the task is cancelled. Blocks no thread of the
    /// cooperative pool: files are read and messages waited for on a thread of its own.
    ///
    /// A cancelled task takes nothing; the subscription itself goes on.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BusError) -> DurableDelivery? {
      while true {
        if Task.isCancelled { return nil }
        if let delivery = subscription.takeReadyIfAvailable() { return delivery }
        if let error = await subscription.prepare() { throw error }
        if let delivery = subscription.takeReadyIfAvailable() { return delivery }
        if subscription.isKnownToHaveEnded { return nil }
      }
    }

    public mutating func next() async throws(BusError) -> DurableDelivery? {
      try await next(isolation: nil)
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self) }

  /// Waits on a thread of its own until something is ready, for a while, or until the task is
  /// cancelled.
  private func prepare() async -> BusError? {
    let interruption = Interruption()
    return await withTaskCancellationHandler {
      await runBlocking { [self] () -> BusError? in
        do throws(BusError) {
          try prepare(unless: { interruption.isRaised })
          return nil
        } catch { return error }
      }
    } onCancel: {
      interruption.raise()
      wake()
    }
  }

  // MARK: Acknowledging

  /// As ``acknowledge(_:)``, without ever blocking the calling thread.
  @discardableResult
  public func acknowledge(_ delivery: DurableDelivery) async throws(BusError) -> Bool {
    let positions = [delivery.position]
    return try await unblocked { (wait) throws(BusError) in
      try self.acknowledge(positions, wait)
    } == 1
  }

  /// As ``acknowledge(upTo:)``, without ever blocking the calling thread.
  @discardableResult
  public func acknowledge(upTo delivery: DurableDelivery) async throws(BusError) -> Int {
    try await unblocked { (wait) throws(BusError) in
      try self.acknowledge(upTo: delivery, wait)
    }
  }

  /// As ``reject(_:reason:)``, without ever blocking the calling thread.
  @discardableResult
  public func reject(
    _ delivery: DurableDelivery, reason: String
  ) async throws(BusError) -> Bool {
    try await unblocked { (wait) throws(BusError) in try self.reject(delivery, reason, wait) }
  }

  /// Runs `body` here unless it would have to wait, else on a thread that may block.
  private func unblocked<R: Sendable>(
    _ body: @escaping @Sendable (PublishWait) throws(BusError) -> R?
  ) async throws(BusError) -> R {
    if let value = try body(.never) { return value }
    let result = await runBlocking { () -> Result<R?, BusError> in
      do throws(BusError) { return .success(try body(.blocking)) } catch { return .failure(error) }
    }
    if let value = try result.get() { return value }
    throw BusError(
      .busy, "the durable subscription \(name) is kept busy", hint: "acknowledge it again")
  }
}
