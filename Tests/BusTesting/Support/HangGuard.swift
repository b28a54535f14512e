import SharedRing

/// How long to wait for what must happen: ten minutes. Tests share two cores with many others and
/// with whatever else the machine does, and only a hang may run into it.
public let hangLimit: Duration = .seconds(600)

/// Runs `body`, and gives up on it after `limit`: a hang must fail a test, not the test run. What
/// hangs is left behind.
public func withHangGuard<R: Sendable>(
  _ limit: Duration = hangLimit, _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
  let race = Race<R>()
  return try await withCheckedThrowingContinuation { continuation in
    race.begin(continuation)
    let work = Task {
      do { race.finish(.success(try await body())) } catch { race.finish(.failure(error)) }
    }
    let guardian = Task {
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      race.finish(.failure(Violation(expected: "an end within \(limit)", seen: "none")))
      work.cancel()
    }
    race.onFinish { guardian.cancel() }
  }
}

/// The first result wins.
private final class Race<R: Sendable>: Sendable {
  private struct State {
    var continuation: CheckedContinuation<R, any Error>?
    var isFinished = false
    var cleanUp: (@Sendable () -> Void)?
  }
  private let state = Lock(State())

  func begin(_ continuation: CheckedContinuation<R, any Error>) {
    state.withLock { $0.continuation = continuation }
  }

  func onFinish(_ cleanUp: @escaping @Sendable () -> Void) {
    let isFinished = state.withLock { state in
      if !state.isFinished { state.cleanUp = cleanUp }
      return state.isFinished
    }
    if isFinished { cleanUp() }
  }

  func finish(_ result: Result<R, any Error>) {
    let (continuation, cleanUp) = state.withLock { state in
      state.isFinished = true
      return (state.continuation.take(), state.cleanUp.take())
    }
    continuation?.resume(with: result)
    cleanUp?()
  }
}
