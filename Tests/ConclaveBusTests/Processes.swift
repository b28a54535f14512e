import Glibc

/// Threads and children, for tests of what they do to each other.
enum Processes {
  /// Runs `body` on `count` threads at once, with their index, until all have ended.
  static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { index -> pthread_t in
      let box = Job { body(index) }
      var thread = pthread_t()
      let argument = unsafe Unmanaged.passRetained(box).toOpaque()
      let failure = unsafe pthread_create(
        &thread, nil,
        { argument in
          guard let argument = unsafe argument else { return nil }
          unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
          return nil
        }, argument)
      precondition(failure == 0)
      return thread
    }
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Job: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }

  /// A child that is a copy of this process; 0 in the child. Swift hides `fork`, because few things
  /// may be done in the child: here it only tries to use a bus and ends.
  static func fork() -> pid_t {
    typealias Fork = @convention(c) () -> pid_t
    guard let symbol = unsafe dlsym(nil, "fork") else { return -1 }
    return unsafe unsafeBitCast(symbol, to: Fork.self)()
  }
}
