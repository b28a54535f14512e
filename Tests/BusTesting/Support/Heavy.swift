import SharedRing
public import Testing

/// Runs two of these tests at a time, whatever their suites.
///
/// For tests that start many processes, which would take all cores: many such tests side by side
/// only starve each other and everybody else, and a single one, which also waits, leaves cores
/// idle. Turns are waited for without a thread, and before a test begins, so before its time limit.
public struct HeavyTrait: SuiteTrait, TestTrait, TestScoping {
  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Turns.shared.take()
    defer { Turns.shared.give() }
    try await function()
  }
}

extension Trait where Self == HeavyTrait {
  public static var heavy: Self { HeavyTrait() }
}

/// First come, first served.
private final class Turns: Sendable {
  static let shared = Turns(free: 2)

  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Lock<State>

  init(free: Int) { state = Lock(State(free: free)) }

  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  /// Hands the turn on to who has waited longest.
  func give() {
    let next = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return CheckedContinuation<Void, Never>?.none
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
