import CShim
import Glibc

/// A ring as the C shim alone gives it, in this process: the reference for the Swift layers. Its
/// calls are the shim's `static inline` functions in Swift loops, which is what a C loop would
/// compile to.
@safe
final class PlainRing {
  private let publisher: UnsafeMutablePointer<conclave_publisher>
  private let subscriber: UnsafeMutablePointer<conclave_subscriber>?
  private let payload: [UInt8]
  private var envelopes = PlainEnvelopes()
  /// Of what was looked at, so that looking is not optimised away.
  private(set) var sum: UInt64 = 0

  enum Reading {
    case none
    case inPlace
    case copying
  }

  /// Makes a segment, and joins it as a publisher and a subscriber.
  init(_ scratch: Scratch, payload: [UInt8], reading: Reading) throws {
    self.payload = payload
    let publisher = UnsafeMutablePointer<conclave_publisher>.allocate(capacity: 1)
    var view = unsafe try PlainRing.map(scratch, CONCLAVE_PUBLISH)
    try PlainRing.check(unsafe conclave_publisher_join(publisher, &view, 1, UInt32(getpid())))
    unsafe self.publisher = unsafe publisher
    guard reading != .none else {
      unsafe subscriber = nil
      return
    }
    let subscriber = UnsafeMutablePointer<conclave_subscriber>.allocate(capacity: 1)
    var options = unsafe conclave_subscription()
    unsafe options.timeout_ns = .max
    unsafe options.back_pressure = reading == .inPlace ? 1 : 0
    var other = unsafe try PlainRing.map(scratch, CONCLAVE_SUBSCRIBE)
    try PlainRing.check(unsafe conclave_subscriber_join(subscriber, &other, &options))
    unsafe self.subscriber = unsafe subscriber
  }

  deinit {
    if let subscriber = unsafe subscriber {
      unsafe conclave_subscriber_leave(subscriber)
      unsafe conclave_subscriber_free(subscriber)
      unsafe subscriber.deallocate()
    }
    unsafe conclave_publisher_leave(publisher)
    unsafe publisher.deallocate()
  }

  /// Publishes so many messages with the same head; returns how many failed.
  func publish(_ count: Int) -> Int {
    var failures = 0
    unsafe PlainEnvelopes.constantHead.withUnsafeBytes { head in
      unsafe payload.withUnsafeBytes { payload in
        for _ in 0..<count { failures += unsafe publish(head, payload) ? 0 : 1 }
      }
    }
    return failures
  }

  /// Publishes so many messages, each with a number, an id and a time stamp; returns how many
  /// failed.
  func publishEnvelopes(_ count: Int) -> Int {
    var failures = 0
    unsafe payload.withUnsafeBytes { payload in
      for _ in 0..<count {
        let head = unsafe envelopes.nextHead()
        failures += unsafe publish(head, payload) ? 0 : 1
      }
    }
    return failures
  }

  @inline(__always)
  private func publish(_ head: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Bool {
    let failure = unsafe conclave_publish(
      publisher, head.baseAddress, UInt32(head.count), payload.baseAddress, UInt64(payload.count),
      CONCLAVE_NO_WAIT)
    unsafe conclave_publish_wake(publisher)
    return failure == 0
  }

  /// Receives what is there, and looks at a word of each payload; returns how many messages.
  func receive() -> Int {
    unsafe receive { record in
      unsafe UnsafeRawPointer(record.body + PlainEnvelopes.headBytes).loadUnaligned(as: UInt64.self)
    }
  }

  /// Receives what is there, checks each head, names and number as a subscriber must who reports
  /// gaps, and looks at a word of each payload; returns how many messages were in order.
  func receiveEnvelopes() -> Int {
    let gapsBefore = envelopes.gaps
    let count = unsafe receive { record in unsafe envelopes.check(record) }
    return count - (envelopes.gaps - gapsBefore)
  }

  @inline(__always)
  private func receive(_ look: (conclave_record) -> UInt64) -> Int {
    guard let subscriber = unsafe subscriber else { return 0 }
    var record = unsafe conclave_record()
    var sum: UInt64 = 0
    var count = 0
    while unsafe conclave_receive(subscriber, &record) == CONCLAVE_RECORD {
      unsafe sum &+= look(record)
      unsafe conclave_release(subscriber)
      count += 1
    }
    unsafe conclave_subscriber_flush(subscriber)
    self.sum &+= sum
    return count
  }

  private static func map(
    _ scratch: Scratch, _ role: conclave_role
  ) throws -> conclave_view {
    let path = scratch.segmentPath
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let (directory, name) = (String(path[..<slash]), "\(path[path.index(after: slash)...])")
    let owner = scratch.path
    // The same as the bus's own default.
    var geometry = conclave_geometry(
      slot_count: 65_536, lane_count: 128, lane_bytes: 262_144, row_count: 64,
      message_bytes: 16_777_216 + 65_536, unused: 0)
    let created = unsafe conclave_segment_create(
      directory, name, owner, owner.utf8.count, nil, &geometry)
    if created != EEXIST { try check(created) }
    var descriptor: Int32 = -1
    var header = conclave_segment_header()
    try check(
      unsafe conclave_segment_open(
        directory, name, owner, owner.utf8.count, nil, role, &descriptor, &header))
    var view = unsafe conclave_view()
    try check(unsafe conclave_view_map(&view, descriptor, &header, role))
    return unsafe view
  }

  private static func check(_ code: Int32) throws {
    guard code == 0 else { throw BenchmarkFailure("the plain ring failed with code \(code)") }
  }
}
