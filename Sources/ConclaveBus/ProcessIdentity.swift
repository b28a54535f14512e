import CShim

/// This process as its messages name it. Safe from any thread and in the child of a fork.
enum ProcessIdentity {
  /// The pid.
  static var pid: UInt32 { conclave_process_id() }

  /// Takes the counters of `count` message ids; returns the first of them. Never the same twice in
  /// a process. One atomic addition.
  static func nextIDs(_ count: Int) -> UInt64 { conclave_process_take_ids(UInt64(count)) }

  /// An ``Envelope/incarnation``: microseconds since the epoch, each greater than the one before,
  /// by a clock that all processes of this user share and nobody sets: which of two began first
  /// they tell, whatever becomes of the wall clock.
  static func newIncarnation() -> UInt64 { conclave_process_new_incarnation() }

  /// The least incarnation of what began at a time of the wall clock, or later: exact where nobody
  /// has set that since.
  static func incarnation(at time: Timestamp) -> UInt64 {
    let shifted = (time.nanosecondsSinceEpoch / 1000).addingReportingOverflow(
      UInt64(bitPattern: conclave_steady_ahead_us()))
    return shifted.partialValue
  }
}

/// Which process opened a handle. In the child of a fork the handle must not be used: locks, lanes
/// and numbers belong to the parent.
struct ProcessMark: Hashable, Sendable {
  private let generation = conclave_process_generation()

  /// Marks the calling process.
  init() {}

  /// Whether the calling process is a descendant of the one that made this mark. Two loads.
  var isForked: Bool { conclave_process_generation() != generation }

  /// - Throws: ``BusError/Code/forked`` in a child of the process that made this mark.
  func check() throws(BusError) {
    guard isForked else { return }
    throw BusError(
      .forked, "this bus was opened before a fork, and this is the child",
      hint: "open the bus again in the child")
  }
}
