public import CShim
import Glibc

/// Where a message stood and whose it was.
public struct RingPlace: Hashable, Sendable {
  /// In the total order.
  public let position: UInt64
  public let lane: Int
  /// Of the lane's holder when it published.
  public let incarnation: UInt64

  @inlinable @inline(__always)
  init(_ record: conclave_record) {
    unsafe position = record.position
    unsafe lane = Int(record.lane)
    unsafe incarnation = record.incarnation
  }
}

/// Why a subscriber did not get something.
public enum RingLoss: Hashable, Sendable {
  /// The ring went round: so many positions from `position` on are gone.
  case lapped(position: UInt64, count: UInt64)
  /// The record at this position was overwritten before it was read.
  case overwritten(position: UInt64)
  /// The record at this position makes no sense.
  case damaged(position: UInt64)
  /// A large message ends at this position whose beginning this subscriber has not received, since
  /// it lay before the place where it began or was lost.
  case headless(position: UInt64)
  /// The lane's holder died in the middle of a large message, which so was never published. The
  /// message's first bytes, at most 64.
  case abandoned(lane: Int, beginning: [UInt8])
}

/// One subscriber of a ring: reads all messages of all publishers in their total order.
///
/// Safe from any thread; one reads at a time.
@safe
public final class RingSubscriber: Sendable {
  /// What happens when it is too slow.
  public enum Policy: Hashable, Sendable {
    /// Messages are lost, and it is told.
    case dropping
    /// As `dropping`, and the kernel lets it write nothing at all: it maps the segment, which must
    /// be there, for reading alone. Onlookers do not see it, and it takes no row. Nobody can wake
    /// it: it looks every 20 ms, for messages as for ``RingSubscriber/interrupt()``.
    case readOnly
    /// Publishers wait, each publish at most so many nanoseconds (`UInt64.max`: without end).
    case backPressure(timeoutNanoseconds: UInt64)
    /// As `backPressure`, for the one that copies everything into files: what it has read is only
    /// given back by ``RingSubscriber/commit()``, and when it dies publishers wait for a successor,
    /// as long as `keepNanoseconds` says. Who joins like this takes over from a dead one.
    case mirror(timeoutNanoseconds: UInt64, keepNanoseconds: UInt64)

    var timeoutNanoseconds: UInt64? {
      switch self {
      case .dropping, .readOnly: nil
      case .backPressure(let timeout), .mirror(let timeout, _): timeout
      }
    }

    var keepNanoseconds: UInt64 {
      if case .mirror(_, let keep) = self { keep } else { 0 }
    }
  }

  /// Whether it goes on where a dead one with `mirror` stopped, and so has missed nothing.
  public let isSuccessor: Bool

  /// All but the view and the interruption, which do not change or are atomic, is guarded by
  /// `state`.
  @usableFromInline
  nonisolated(unsafe) let raw: UnsafeMutablePointer<conclave_subscriber>
  @usableFromInline
  let state: Lock<State> = Lock(State())

  @usableFromInline
  struct State {
    @usableFromInline var hasLeft = false
    @usableFromInline var reassembly = Reassembly()
  }

  /// Joins the ring behind its last record, making the segment if there is none and the policy is
  /// not `readOnly`.
  ///
  /// - Parameters:
  ///   - location: of the segment.
  ///   - geometry: of the segment, if it has to be made.
  ///   - policy: what happens when it is too slow.
  ///   - label: what onlookers, and publishers that waited in vain, call it; 224 bytes are kept.
  /// - Throws: all but `timedOut` and `tooLarge`; `mirrored` for the policy `mirror`, of which
  ///   there is one at a time; `notFound` for `readOnly`.
  public init(
    _ location: RingLocation, creating geometry: RingGeometry, policy: Policy, label: String
  ) throws(RingError) {
    let raw = UnsafeMutablePointer<conclave_subscriber>.allocate(capacity: 1)
    var claim = RingClaim()
    let isReadOnly = policy == .readOnly
    do throws(RingError) {
      unsafe try RingSegment.join(
        location, creating: isReadOnly ? nil : geometry,
        role: isReadOnly ? CONCLAVE_OBSERVE : CONCLAVE_SUBSCRIBE
      ) { view in
        unsafe claim.make(raw, &view, policy, label)
      } abandon: {
        unsafe conclave_subscriber_leave(raw)
        unsafe conclave_subscriber_free(raw)
      }
    } catch {
      unsafe raw.deallocate()
      if case .mirrored = error { throw .mirrored(process: claim.mirror) }
      throw error
    }
    unsafe self.raw = raw
    isSuccessor = claim.isSuccessor
  }

  deinit {
    leave()
    unsafe conclave_subscriber_free(raw)
    unsafe raw.deallocate()
  }

  /// The next position to be read.
  public var position: UInt64 { state.withLock { _ in unsafe raw.pointee.position } }

  /// The first position that has no record yet, counted as ``position`` is.
  public var frontier: UInt64 {
    state.withLock { _ in
      unsafe conclave_frontier_near(&raw.pointee.view, raw.pointee.position)
    }
  }

  /// What in the ring no participant wrote.
  public var damage: RingDamage { unsafe RingDamage.find(&raw.pointee.view) }

  /// Whether nothing will ever come: the next slot holds what no publisher wrote.
  public var isBlocked: Bool {
    state.withLock { _ in
      unsafe conclave_position_is_blocked(&raw.pointee.view, raw.pointee.position) != 0
    }
  }

  /// Whether the segment was cut off under this process, so that all that is read is nonsense from
  /// then on: never false again. What `onMessage` was given in place just then may be as well.
  public var isLost: Bool { unsafe conclave_view_is_lost_by_now(&raw.pointee.view) != 0 }

  /// Distinguishes this segment from all others ever made.
  public var generation: RingGeneration { unsafe RingGeneration(&raw.pointee.view) }

  /// The number of lanes and the largest message of the ring.
  public var geometry: RingGeometry { unsafe RingGeometry(raw.pointee.view.geometry) }

  /// Goes back to the oldest record that may still be there. For `dropping` subscribers.
  public func rewind() { state.withLock { _ in unsafe conclave_subscriber_rewind(raw) } }

  /// Goes on at `position`, and forgets the beginnings of large messages. For `dropping`
  /// subscribers.
  public func seek(to position: UInt64) {
    state.withLock { state in
      state.reassembly = Reassembly()
      unsafe conclave_subscriber_seek(raw, position)
    }
  }

  /// Hands out what is there, in order: at most `limit` messages and losses. The span is gone when
  /// the closure returns. No allocation but for messages larger than a record; bounded work.
  ///
  /// Compiled into its callers: what they do with a message costs no indirect call.
  ///
  /// - Returns: how many were handed out.
  @inlinable @inline(__always)
  public func receive(
    limit: Int, onLoss: (RingLoss) -> Void, onMessage: (RingPlace, RawSpan) -> Void
  ) -> Int {
    state.acquire()
    defer { state.release() }
    let state = unsafe state.value
    guard unsafe !state.pointee.hasLeft else { return 0 }
    var record = unsafe conclave_record()
    var handed = 0
    while handed < limit {
      var outcome = unsafe conclave_receive(raw, &record)
      if outcome == CONCLAVE_RECORD {
        unsafe take(record, &state.pointee.reassembly, onLoss: onLoss, onMessage: onMessage)
        unsafe conclave_release(raw)
      } else {
        if outcome == CONCLAVE_NOTHING {
          outcome = unsafe conclave_receive_rest(raw, &record)
          if outcome == CONCLAVE_NOTHING { return handed }
        }
        onLoss(unsafe note(outcome, record, &state.pointee.reassembly))
      }
      handed += 1
    }
    return handed
  }

  /// Sleeps until there may be something to receive, until ``interrupt()``, until the deadline
  /// (CLOCK_MONOTONIC nanoseconds), or for about a second.
  public func park(untilNanoseconds deadline: UInt64) {
    let position = state.withLock { state in state.hasLeft ? nil : unsafe raw.pointee.position }
    guard let position else { return }
    unsafe conclave_subscriber_park(raw, position, deadline)
  }

  /// As ``park(untilNanoseconds:)``, for the mirror: ends also when ``RingMirrorBoard/asks`` are no
  /// longer these.
  public func park(untilNanoseconds deadline: UInt64, unlessAskedSince asks: UInt64) {
    let position = state.withLock { state in state.hasLeft ? nil : unsafe raw.pointee.position }
    guard let position else { return }
    unsafe conclave_mirror_park(raw, position, asks, deadline)
  }

  /// For the mirror: sleeps until the board's ``RingMirrorBoard/asks`` are so many, until a
  /// publisher has no room, until ``interrupt()`` or the deadline (CLOCK_MONOTONIC nanoseconds).
  /// Publishing something does not end it, and so costs what it costs without a mirror.
  public func doze(quorum: UInt64, untilNanoseconds deadline: UInt64) {
    unsafe conclave_mirror_doze(raw, quorum, deadline)
  }

  /// Ends a ``park(untilNanoseconds:)`` that is under way, or else the next one.
  public func interrupt() { unsafe conclave_subscriber_interrupt(raw) }

  /// Gives the row back: publishers wait no longer, nothing is received any more. Idempotent.
  public func leave() {
    state.withLock { state in
      guard !state.hasLeft else { return }
      state.hasLeft = true
      state.reassembly = Reassembly()
      unsafe conclave_subscriber_leave(raw)
    }
  }

  /// Gives back what a `mirror` has read.
  public func commit() {
    state.withLock { state in
      if !state.hasLeft { unsafe conclave_subscriber_commit(raw) }
    }
  }

  /// Whether a `mirror` has kept back so much that publishers may soon have no room: more than half
  /// of the ring, or of a lane. O(lanes).
  public var isPressed: Bool {
    state.withLock { state in
      unsafe !state.hasLeft && conclave_subscriber_is_pressed(raw) != 0
    }
  }

  /// The large messages of which only the beginning was received so far.
  public var openChains: [RingChain] { state.withLock { $0.reassembly.openChains } }

  /// Takes over the beginnings that another has received.
  public func resume(_ chains: [RingChain]) {
    state.withLock { $0.reassembly.resume(chains) }
  }

  /// How far the mirror is. Must not be used after this subscriber's end.
  public var mirrorBoard: RingMirrorBoard { unsafe RingMirrorBoard(&raw.pointee.view) }

  /// Ends a `mirror` as its death would: what it has read and not committed waits for a successor,
  /// for whom publishers wait so long.
  public func abandon(keepNanoseconds: UInt64) {
    state.withLock { state in
      guard !state.hasLeft else { return }
      state.hasLeft = true
      unsafe conclave_subscriber_abandon(raw, max(1, keepNanoseconds))
    }
  }

  /// Adds to the number of lost messages that onlookers see.
  public func noteLost(_ messages: UInt64) { unsafe conclave_subscriber_note_lost(raw, messages) }

  /// How far each stream of each lane has come; see ``RingStreams``.
  public func streams() -> [RingStreams] {
    unsafe RingStreams.read(&raw.pointee.view)
  }

  @inlinable @inline(__always)
  func take(
    _ record: conclave_record, _ reassembly: inout Reassembly, onLoss: (RingLoss) -> Void,
    onMessage: (RingPlace, RawSpan) -> Void
  ) {
    let place = unsafe RingPlace(record)
    let bytes = unsafe UnsafeRawBufferPointer(start: record.body, count: Int(record.body_bytes))
    if unsafe record.kind == UInt32(CONCLAVE_WHOLE), reassembly.isEmpty {
      unsafe onMessage(place, bytes.bytes)
    } else {
      unsafe reassembly.take(
        bytes, kind: record.kind, place, limit: Int(raw.pointee.view.geometry.message_bytes),
        onLoss: onLoss, onMessage: onMessage)
    }
  }

  /// What was lost; chains that may have lost a fragment are forgotten.
  @usableFromInline
  func note(
    _ outcome: conclave_outcome, _ record: conclave_record, _ reassembly: inout Reassembly
  ) -> RingLoss {
    if !reassembly.isEmpty {
      reassembly.forget(outcome == CONCLAVE_GONE ? unsafe Int(record.lane) : nil)
    }
    let position = unsafe record.position
    switch outcome {
    case CONCLAVE_LAPPED: return unsafe .lapped(position: position, count: record.lost)
    case CONCLAVE_GONE: return .overwritten(position: position)
    default: return .damaged(position: position)
    }
  }
}
