import SharedRing
public import Testing

/// Runs the tests of a suite on threads of their own, where they may block as long as they like.
///
/// Swift Testing runs tests on the cooperative threads, of which there are as many as cores: a test
/// that waits for a process there keeps one of them from all other tests, and two stop everything.
/// Since the tests stay tasks, what they record is still reported under their names, other than
/// what ``onThread(_:)`` runs.
public struct BlockingTrait: SuiteTrait, TestTrait, TestScoping {
  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
  }
}

extension Trait where Self == BlockingTrait {
  public static var blocking: Self { BlockingTrait() }
}

/// Runs jobs on threads that may block, first come, first served.
private final class ThreadExecutor: TaskExecutor {
  static let shared = ThreadExecutor(limit: 4)

  private struct State {
    var waiting: [UnownedJob] = []
    var threads = 0
  }

  private let state = Lock(State())
  /// As many tests wait for their processes at once: more than cores, since they mostly sleep; not
  /// many more, since what they start does not.
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let isFree = state.withLock { state in
      state.waiting.append(job)
      guard state.threads < limit else { return false }
      state.threads += 1
      return true
    }
    if isFree { startThread { self.work() } }
  }

  private func work() {
    while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  private func next() -> UnownedJob? {
    state.withLock { state in
      if state.waiting.isEmpty {
        state.threads -= 1
        return nil
      }
      return state.waiting.removeFirst()
    }
  }
}
