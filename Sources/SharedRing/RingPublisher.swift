public import CShim
import Glibc

/// One publisher of a ring: the holder of a lane, from `init` to the end of its life.
///
/// Not safe from several threads at once: being ~Copyable and mutated by each publish, it cannot be
/// shared without a lock.
@safe
public struct RingPublisher: ~Copyable, Sendable {
  /// Owned by this value alone; what changes it is `mutating`, so the compiler keeps it to one
  /// thread at a time.
  @usableFromInline
  nonisolated(unsafe) let raw: UnsafeMutablePointer<conclave_publisher>

  /// Joins the ring, making the segment if there is none.
  ///
  /// - Parameters:
  ///   - location: of the segment.
  ///   - geometry: of the segment, if it has to be made.
  ///   - incarnation: microseconds since the epoch; the lane's is this or greater.
  /// - Throws: all but `timedOut` and `tooLarge`.
  public init(
    _ location: RingLocation, creating geometry: RingGeometry, incarnation: UInt64
  ) throws(RingError) {
    let raw = UnsafeMutablePointer<conclave_publisher>.allocate(capacity: 1)
    do throws(RingError) {
      unsafe try RingSegment.join(location, creating: geometry, role: CONCLAVE_PUBLISH) { view in
        unsafe conclave_publisher_join(raw, &view, incarnation, UInt32(getpid()))
      } abandon: {
        unsafe conclave_publisher_leave(raw)
      }
    } catch {
      unsafe raw.deallocate()
      throw error
    }
    unsafe self.raw = raw
  }

  deinit {
    unsafe conclave_publisher_leave(raw)
    unsafe raw.deallocate()
  }

  /// Distinguishes this holder of the lane from all others before and after it.
  public var incarnation: UInt64 { unsafe raw.pointee.incarnation }
  /// The lane's number.
  public var lane: Int { unsafe Int(raw.pointee.lane) }
  /// The position of the last record that was published.
  public var lastPosition: UInt64 { unsafe raw.pointee.next_position &- 1 }
  /// The first position that has no record yet.
  public var frontier: UInt64 { unsafe conclave_frontier(&raw.pointee.view) }
  /// How often it had to wait for a subscription.
  public var waits: UInt64 { unsafe raw.pointee.waits }
  /// The largest message in bytes.
  @inlinable
  public var messageLimit: Int { unsafe Int(raw.pointee.view.geometry.message_bytes) }
  /// The largest message in bytes that travels in one record.
  @inlinable
  public var recordLimit: Int {
    unsafe Int(raw.pointee.view.record_limit) - MemoryLayout<conclave_record_header>.size
  }
  /// The longest head in bytes.
  @inlinable
  public var headLimit: Int { unsafe Int(raw.pointee.view.record_limit) / 4 }

  /// What to do while a subscription with back pressure has no room.
  public enum Wait {
    /// For messages up to ``RingPublisher/recordLimit``.
    case never
    /// For larger ones: only if there is room for all of it now. Should others take that room once
    /// the first record is out, as ``untilRoom(_:)``.
    case neverForPart(RingCancellation)
    /// Sleep, at most for that subscription's time-out (a mirror's: the cancellation's, where it
    /// has one) or until the cancellation is raised.
    case untilRoom(RingCancellation)
  }

  /// Publishes one message whose body is `head` followed by `body`, as message `number` of
  /// `stream`.
  ///
  /// O(size); no allocation, no system call unless it has to wait or to wake somebody.
  /// - Parameters:
  ///   - head: a multiple of 8 bytes, at most ``headLimit``.
  ///   - body: what follows it.
  ///   - stream: the numbering that the message belongs to.
  ///   - number: its number there.
  ///   - wait: what to do when there is no room.
  ///   - wakes: whether to wake subscribers that sleep; within a batch ``wake()`` after its end
  ///     will
  ///     do.
  /// - Returns: whether it was published; true with ``Wait/untilRoom(_:)``.
  /// - Throws: `timedOut`, `cancelled`, `tooLarge`, `corrupt`: nothing was published.
  @inlinable
  public mutating func publish(
    head: UnsafeRawBufferPointer, body: RawSpan, as stream: RingStreamList.Stream, number: UInt64,
    wait: Wait, wakes: Bool
  ) throws(RingError) -> Bool {
    guard head.count + body.byteCount <= messageLimit else {
      throw .tooLarge(limit: messageLimit)
    }
    guard head.count <= headLimit, head.count % 8 == 0 else { throw .tooLarge(limit: headLimit) }
    let failure: Int32
    switch wait {
    case .never:
      failure = unsafe publish(head, body, CONCLAVE_NO_WAIT)
    case .neverForPart(let cancellation):
      failure = unsafe publish(head, body, CONCLAVE_NO_WAIT, until: cancellation)
    case .untilRoom(let cancellation):
      failure = unsafe publish(head, body, CONCLAVE_WAIT, until: cancellation)
    }
    guard failure == 0 else {
      if failure == EAGAIN { return false }
      throw publishError(failure)
    }
    unsafe conclave_stream_note_opaque(stream.entry, number)
    if wakes { unsafe conclave_publish_wake(raw) }
    return true
  }

  @inlinable @inline(__always)
  func publish(
    _ head: UnsafeRawBufferPointer, _ body: RawSpan, _ mode: conclave_wait_mode
  ) -> Int32 {
    unsafe body.withUnsafeBytes { body in
      unsafe conclave_publish(
        raw, head.baseAddress, UInt32(truncatingIfNeeded: head.count), body.baseAddress,
        UInt64(body.count), mode)
    }
  }

  @usableFromInline
  func publish(
    _ head: UnsafeRawBufferPointer, _ body: RawSpan, _ mode: conclave_wait_mode,
    until cancellation: RingCancellation
  ) -> Int32 {
    unsafe raw.pointee.cancel = UnsafePointer(cancellation.raw)
    unsafe raw.pointee.patience_ns = cancellation.mirrorPatience
    defer {
      unsafe raw.pointee.cancel = nil
      unsafe raw.pointee.patience_ns = 0
    }
    return unsafe publish(head, body, mode)
  }

  /// Wakes subscribers that sleep. Once after each batch; one load when none sleeps.
  @inlinable
  public func wake() { unsafe conclave_publish_wake(raw) }

  /// The list of this lane's numberings. Must not be used after this publisher's end.
  public var streamList: RingStreamList { unsafe RingStreamList(raw) }

  /// How far the mirror is. Must not be used after this publisher's end.
  public var mirrorBoard: RingMirrorBoard { unsafe RingMirrorBoard(&raw.pointee.view) }

  @usableFromInline
  func publishError(_ code: Int32) -> RingError {
    guard code == ETIMEDOUT else { return RingError(code: code) }
    let row = unsafe raw.pointee.slow_row
    let slow = unsafe conclave_presence_read(&raw.pointee.view, row)
    return .timedOut(label: slow.text, process: slow.pid)
  }
}
