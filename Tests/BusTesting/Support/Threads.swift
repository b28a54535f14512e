import Glibc
import Synchronization

/// Runs `body` on a thread of its own, where it may block, and waits for its result.
public func onThread<R: Sendable>(
  _ body: @escaping @Sendable () throws -> R
) async throws -> R {
  try await withCheckedThrowingContinuation { continuation in
    startThread { continuation.resume(with: Result(catching: body)) }
  }
}

/// Runs `body(0)` to `body(count - 1)` on a thread each, all let go at the same moment, and waits
/// for all of them. Throws the first error.
public func onThreads(
  _ count: Int, _ body: @escaping @Sendable (Int) throws -> Void
) async throws {
  let gate = Gate(count)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for index in 0..<count {
      group.addTask {
        try await onThread {
          gate.pass()
          try body(index)
        }
      }
    }
    try await group.waitForAll()
  }
}

/// Lets its threads through when all have arrived, so that they really run at the same time.
public final class Gate: Sendable {
  private let missing: Atomic<Int>

  public init(_ count: Int) { missing = Atomic(count) }

  public func pass() {
    missing.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    while missing.load(ordering: .acquiring) > 0 { sched_yield() }
  }
}

/// Blocks the calling thread for a while. For making somebody slow, never for waiting for somebody.
public func pauseThread(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }

private final class Job: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Detached from the beginning: `pthread_detach` looks at a thread once more that may have ended
/// since it was detached, and be gone (seen with glibc 2.36).
func startThread(_ body: @escaping @Sendable () -> Void) {
  var (thread, attributes) = (pthread_t(), pthread_attr_t())
  unsafe pthread_attr_init(&attributes)
  defer { unsafe pthread_attr_destroy(&attributes) }
  unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  let job = unsafe Unmanaged.passRetained(Job(body)).toOpaque()
  let failure = unsafe pthread_create(
    &thread, &attributes,
    { argument in
      if let argument = unsafe argument {
        unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
      }
      return nil
    }, job)
  precondition(failure == 0, "the system refuses to start a thread (errno \(failure))")
}
