import CShim
import Glibc

/// A moment as the index remembers it: by the wall clock, and by the clock that only ever goes on
/// while the machine is up.
///
/// Ages are taken from the second, so that somebody who sets the wall clock makes no key expire and
/// none last. Only across a reboot the wall clock is all there is; there an age below zero counts
/// as zero, and the key lasts one more window at most.
struct KeyMoment: Hashable, Sendable {
  /// Nanoseconds since the epoch.
  var wall: UInt64
  /// Nanoseconds since the machine's start, sleep included, whatever time namespace this is. Wraps:
  /// may lie before the start.
  var boot: UInt64
  /// Which start of the machine: 24 bits, so that they fit into an entry.
  var bootTag: UInt32

  /// About 50 ns.
  static func now() -> KeyMoment {
    KeyMoment(
      wall: Timestamp.now().nanosecondsSinceEpoch,
      boot: nanoseconds(CLOCK_BOOTTIME) &- shift, bootTag: currentBootTag)
  }

  /// How long ago `earlier` was, in nanoseconds, by this moment; 0 when it is to come.
  func age(of earlier: KeyMoment) -> UInt64 {
    if earlier.bootTag == bootTag {
      // Below zero only where the kernel does not say how far a time namespace is ahead.
      let age = Int64(bitPattern: boot &- earlier.boot)
      if age >= 0 { return UInt64(age) }
    }
    return wall > earlier.wall ? wall - earlier.wall : 0
  }

  /// The moment at which the wall clock said `time`, as far as it can be known now.
  func moment(at time: Timestamp) -> KeyMoment {
    let age = wall > time.nanosecondsSinceEpoch ? wall - time.nanosecondsSinceEpoch : 0
    return KeyMoment(wall: wall - age, boot: boot &- age, bootTag: bootTag)
  }

  /// Of a time namespace, which a process is in from its start.
  private static let shift = unsafe UInt64(bitPattern: conclave_clock_shift_ns("boottime"))

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(clock, &now)
    return UInt64(truncatingIfNeeded: now.tv_sec) &* 1_000_000_000
      &+ UInt64(truncatingIfNeeded: now.tv_nsec)
  }

  /// 0 where the kernel does not say: then all starts look the same, and the clock tells them apart
  /// unless this start has lasted longer than the one before.
  private static let currentBootTag: UInt32 = {
    let file = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 36)
    guard unsafe read(file, &text, text.count) == text.count else { return 0 }
    let digest = unsafe text.withUnsafeBytes {
      unsafe SipHash.digest($0, key: SipHash.Key(first: 0, second: 0))
    }
    return UInt32(truncatingIfNeeded: digest.first & 0xFF_FFFF)
  }()
}
