import CShim
import ConclaveBus
import Glibc

/// What is compared: from copying bytes up to whole envelopes.
enum CostCases {
  static let payloadBytes = 256

  /// Nothing but the copy, over as much memory as a lane has.
  static func memcpy() -> CostCase {
    let source = Payloads.bytes(payloadBytes)
    let stride = 320
    let target = Memory(bytes: stride * CostLoop.batch)
    let copy = { (count: Int) in
      unsafe source.withUnsafeBytes { source in
        guard let start = source.baseAddress else { return }
        for index in 0..<count {
          unsafe Glibc.memcpy(target.base + index * stride, start, source.count)
        }
      }
    }
    return CostCase(name: "memcpy", publish: copy, receive: nil)
  }

  /// The C shim alone.
  static func plain(_ scratch: Scratch, _ reading: PlainRing.Reading) throws -> CostCase {
    let ring = try PlainRing(scratch, payload: Payloads.bytes(payloadBytes), reading: reading)
    return CostCase(name: "C shim") { count in
      guard ring.publish(count) == 0 else { throw BenchmarkFailure("the plain ring is full") }
    } receive: {
      CostCase.Received(count: ring.receive())
    }
  }

  /// The C shim and, by hand, what an envelope asks for.
  static func envelopes(_ scratch: Scratch, _ reading: PlainRing.Reading) throws -> CostCase {
    let ring = try PlainRing(scratch, payload: Payloads.bytes(payloadBytes), reading: reading)
    return CostCase(name: "C shim, envelopes") { count in
      guard ring.publishEnvelopes(count) == 0 else {
        throw BenchmarkFailure("the plain ring is full")
      }
    } receive: {
      CostCase.Received(count: ring.receiveEnvelopes())
    }
  }

  /// How the Swift interface is used.
  enum Reading {
    case drain
    case poll
    case iterate
  }

  /// `Publisher.publish(RawJSON)` and one way to read.
  static func swift(
    _ bus: SharedMemoryBus, _ policy: SubscriptionOptions.Policy, _ reading: Reading
  ) throws -> CostCase {
    let publisher = try publisher(bus)
    let payload = try Payloads.json(bytes: payloadBytes)
    let subscription = try bus.subscribe(options: SubscriptionOptions(policy: policy))
    return CostCase(name: "Swift, \(reading)") { count in
      for _ in 0..<count { try publisher.publish(payload) }
    } receive: {
      switch reading {
      case .drain: CostCase.Received(count: try drain(subscription))
      case .poll: CostCase.Received(count: try poll(subscription))
      case .iterate: try iterate(subscription)
      }
    }
  }

  /// `Publisher.publish(json:)`, which validates.
  static func validating(_ bus: SharedMemoryBus) throws -> CostCase {
    let publisher = try publisher(bus)
    let payload = Payloads.bytes(payloadBytes)
    let publish = { (count: Int) in
      for _ in 0..<count { try unsafe publisher.publish(json: payload.span.bytes) }
    }
    return CostCase(name: "Swift, validating", publish: publish, receive: nil)
  }

  static func publisher(_ bus: SharedMemoryBus) throws -> Publisher {
    try bus.publisher(topic: Topic("bench"), sender: "cost", type: "b")
  }

  private static func drain(_ subscription: Subscription) throws -> Int {
    var sum: UInt64 = 0
    var count = 0
    while true {
      let handed = try subscription.drain(limit: CostLoop.batch) { _, payload in
        sum &+= unsafe payload.unsafeLoadUnaligned(as: UInt64.self)
      }
      if handed == 0 { return sum == 0 ? 0 : count }
      count += handed
    }
  }

  private static func poll(_ subscription: Subscription) throws -> Int {
    var count = 0
    while try subscription.poll() != nil { count += 1 }
    return count
  }

  /// Measured within the task: starting one is not part of receiving.
  private static func iterate(_ subscription: Subscription) throws -> CostCase.Received {
    let (count, nanoseconds) = try Blocking.run {
      let start = conclave_monotonic_ns()
      var count = 0
      var iterator = subscription.makeAsyncIterator()
      while count < CostLoop.batch, try await iterator.next() != nil { count += 1 }
      return (count, conclave_monotonic_ns() - start)
    }
    return CostCase.Received(count: count, nanoseconds: nanoseconds)
  }
}

/// Memory that is freed with this object.
@safe
private final class Memory {
  let base: UnsafeMutableRawPointer
  init(bytes: Int) {
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  }
  deinit { unsafe base.deallocate() }
}
