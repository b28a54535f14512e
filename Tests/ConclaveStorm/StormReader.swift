import ConclaveBus

/// A subscriber that lives through the storm: it drops, and so goes to the files again and again.
struct StormReader {
  private let bus: MirroredBus
  private let task: Task<StormCheck, any Error>

  init(_ path: String) throws {
    bus = try StormBus.open(path, isCandidate: false)
    let subscription = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    task = Task {
      var check = StormCheck()
      for try await delivery in subscription { check.take(delivery) }
      return check
    }
  }

  /// Reads what is left.
  func finish() async throws -> StormCheck {
    bus.close()
    return try await task.value
  }
}
