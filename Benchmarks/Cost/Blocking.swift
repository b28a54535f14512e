import CShim
import Synchronization

/// Runs asynchronous code from a plain thread.
enum Blocking {
  /// Waits for what `body` returns. Never call it on a cooperative thread.
  static func run<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
    let box = Box<R>()
    Task.detached {
      let result: Result<R, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      box.fill(result)
    }
    return try box.wait().get()
  }

  @safe
  private final class Box<R: Sendable>: Sendable {
    private let result = Mutex<Result<R, any Error>?>(nil)
    private nonisolated(unsafe) let event: UnsafeMutablePointer<conclave_event>

    init() {
      unsafe event = UnsafeMutablePointer<conclave_event>.allocate(capacity: 1)
      unsafe conclave_event_init(event)
    }

    deinit { unsafe event.deallocate() }

    func fill(_ value: Result<R, any Error>) {
      result.withLock { $0 = value }
      unsafe conclave_event_signal(event)
    }

    func wait() -> Result<R, any Error> {
      while true {
        let ticket = unsafe conclave_event_prepare(event)
        if let value = result.withLock({ $0 }) { return value }
        _ = unsafe conclave_event_wait(event, ticket, UInt64.max)
      }
    }
  }
}
