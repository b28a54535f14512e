import CShim
import Glibc
import Synchronization

/// Asks a run, from any thread and for good, to end what it has started and to return.
public final class StopSignal: Sendable {
  /// Who wants it to end, by the signal that says so.
  public enum Reason: Int, Sendable {
    /// SIGINT: a person.
    case interrupt = 1
    /// SIGTERM: whoever looks after the machine.
    case terminate = 2
  }

  private let number = Atomic(0)
  /// Becomes readable, and stays so. Negative when there was no descriptor left: then nothing wakes
  /// a sleeper before its time, and ``reason`` is all there is.
  let descriptor: Int32

  public init() { descriptor = conclave_eventfd() }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The first reason holds. Never blocks.
  public func stop(_ reason: Reason) {
    _ = number.compareExchange(
      expected: 0, desired: reason.rawValue, ordering: .acquiringAndReleasing)
    var one: UInt64 = 1
    _ = unsafe write(descriptor, &one, 8)
  }

  /// Why to end, or nil. One load.
  public var reason: Reason? { Reason(rawValue: number.load(ordering: .acquiring)) }
}
