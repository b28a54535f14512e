import SharedRing
public import Testing

/// Runs a few of these tests at a time, whatever their suites. Turns are waited for without a
/// thread, and before a test begins, so before its time limit.
public struct TurnsTrait: SuiteTrait, TestTrait, TestScoping {
  fileprivate let turns: Turns

  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await turns.take()
    defer { turns.give() }
    try await function()
  }
}

extension Trait where Self == TurnsTrait {
  /// Two at a time: for tests that start many processes, which would take all cores. Many such
  /// tests side by side only starve each other and everybody else, and a single one, which also
  /// waits, leaves cores idle.
  public static var heavy: Self { TurnsTrait(turns: .ofHeavy) }

  /// Sixteen at a time: for tests of which there are hundreds, and which each have open a dozen
  /// files. (Foundation's `Process` reads beyond its buffer, and may crash, in a process that has
  /// more than some 1,360 open.)
  public static var inTurns: Self { TurnsTrait(turns: .ofMany) }
}

/// First come, first served.
private final class Turns: Sendable {
  static let ofHeavy = Turns(free: 2)
  static let ofMany = Turns(free: 16)

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
