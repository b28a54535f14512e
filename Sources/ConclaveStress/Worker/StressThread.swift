import ConclaveBus
import Glibc

/// A thread that may block, unlike Swift's cooperative ones.
struct StressThread: Sendable {
  private let thread: pthread_t

  init(_ body: @escaping @Sendable () -> Void) throws(BusError) {
    let boxed = unsafe Unmanaged.passRetained(Body(run: body))
    var thread = pthread_t()
    let failure = unsafe pthread_create(
      &thread, nil,
      { boxed in
        guard let boxed = unsafe boxed else { return nil }
        unsafe Unmanaged<Body>.fromOpaque(boxed).takeRetainedValue().run()
        return nil
      }, boxed.toOpaque())
    guard failure == 0 else {
      unsafe boxed.release()
      throw systemError("cannot start a thread", failure, hint: "raise the limit of processes")
    }
    self.thread = thread
  }

  /// Waits for its end; call once.
  func join() { pthread_join(thread, nil) }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
