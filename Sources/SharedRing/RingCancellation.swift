public import CShim

/// Ends a publisher's wait for room from another thread, within 20 ms. Raised once and for all.
@safe
public final class RingCancellation: Sendable {
  @usableFromInline
  nonisolated(unsafe) let raw: UnsafeMutablePointer<conclave_flag>

  /// How long who waits with this waits for room that a `mirror` has to make, nanoseconds; 0: as
  /// long as that subscription says.
  public let mirrorPatience: UInt64

  public init(mirrorPatience: UInt64 = 0) {
    self.mirrorPatience = mirrorPatience
    unsafe raw = .allocate(capacity: 1)
    unsafe conclave_flag_init(raw)
  }

  deinit { unsafe raw.deallocate() }

  public func raise() { unsafe conclave_flag_raise(raw) }

  @inlinable
  public var isRaised: Bool { unsafe conclave_flag_is_raised(raw) != 0 }
}
