import CShim
import ConclaveBus
import Glibc
import Synchronization

/// Ends a command in order: at SIGINT, at SIGTERM or SIGHUP (which count as one), or when nobody
/// reads standard output any more, which a command that follows a bus and has nothing to write
/// would otherwise never notice.
///
/// A thread waits for them with `poll`; no code runs in a signal handler.
final class Interruption: Sendable {
  private static let shared = Interruption()
  /// What an orderly end may take after a signal, for instance while the reader of a full pipe
  /// sleeps.
  private static let usualGraceMilliseconds: Int32 = 2000

  private let cause = Mutex<ExitCode?>(nil)
  private let end = Mutex<(@Sendable () -> Void)?>(nil)
  private let last = Mutex<(@Sendable () -> Void)?>(nil)
  private let signals = Atomic<Int32>(-1)
  private let watchesOutput = Atomic(false)
  private let grace = Atomic(Interruption.usualGraceMilliseconds)
  private let hasEnded = Atomic(false)

  /// Calls `end`, which may block, when the time has come. Call once.
  ///
  /// - Parameters:
  ///   - output: whether the end of whoever reads standard output counts.
  ///   - graceMilliseconds: how long the command may take from then on, if that is not the usual.
  ///   - last: called when the grace is over, or at the second signal; the process ends behind it.
  static func watch(
    output: Bool, graceMilliseconds: Int32 = usualGraceMilliseconds,
    last: (@Sendable () -> Void)? = nil, _ end: @escaping @Sendable () -> Void
  ) throws(ToolError) -> Interruption {
    shared.last.withLock { $0 = last }
    shared.grace.store(graceMilliseconds, ordering: .releasing)
    shared.end.withLock { $0 = end }
    shared.watchesOutput.store(output, ordering: .releasing)
    try shared.start()
    return shared
  }

  /// The same as ``exitCode``, for the closure that
  /// ``watch(output:graceMilliseconds:last:_:)`` calls.
  static var currentExitCode: ExitCode? { shared.exitCode }

  /// Why the command is to end, or nil.
  var exitCode: ExitCode? { cause.withLock { $0 } }

  /// Once the time has come: waits until `end` has returned, however long that takes within the
  /// grace.
  func waitForEnd() {
    while exitCode != nil, !hasEnded.load(ordering: .acquiring) { usleep(1000) }
  }

  private func start() throws(ToolError) {
    let descriptor = conclave_signals_open()
    signals.store(descriptor, ordering: .releasing)
    let failure =
      descriptor < 0 ? -descriptor : conclave_thread_start { Interruption.shared.wait() }
    guard failure == 0 else {
      throw ToolError(
        .failure, code: "system", "cannot watch for signals: \(errorText(failure))")
    }
  }

  private func wait() {
    let descriptor = signals.load(ordering: .acquiring)
    var watched = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      // No events asked for: only that the other end is gone is reported. -1 is passed over.
      pollfd(
        fd: watchesOutput.load(ordering: .acquiring) ? STDOUT_FILENO : -1, events: 0, revents: 0),
    ]
    while unsafe poll(&watched, 2, -1) < 0, errno == EINTR {}
    let exit: ExitCode =
      if watched[0].revents == 0 {
        .outputClosed
      } else {
        conclave_signals_read(descriptor) == SIGINT ? .interrupted : .terminated
      }
    cause.withLock { $0 = exit }
    // On a thread of its own: it may wait for one that is stuck in writing.
    let failure = conclave_thread_start {
      Interruption.shared.end.withLock { $0 }?()
      Interruption.shared.hasEnded.store(true, ordering: .releasing)
    }
    if failure == 0 { waitForMore(descriptor) }
    last.withLock { $0 }?()
    // A second signal, or the grace is over; usually the process has ended long before.
    _exit(exit.rawValue)
  }

  /// Until a second signal comes, or the grace is over. SIGHUP is no second one: a process that
  /// dies may send it several times.
  private func waitForMore(_ descriptor: Int32) {
    let end = ContinuousClock.now + .milliseconds(grace.load(ordering: .acquiring))
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while true {
      let left = (ContinuousClock.now.duration(to: end) / .milliseconds(1)).rounded(.up)
      let count = unsafe poll(&watched, 1, Int32(max(0, left)))
      if count < 0, errno == EINTR { continue }
      guard count == 1, conclave_signals_read(descriptor) == SIGHUP else { return }
    }
  }
}
