import CShim
import ConclaveBus

/// Publishes at a steady rate; each payload says when it was sent.
enum PacedWorker: Worker {
  static let name = "paced"
  static let topic = "paced"
  /// Twenty digits, which is what any 64-bit number needs.
  private static let head = Array(#"{"sent":"#.utf8)
  private static let digits = 20

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try words.bus(0)
    let interval = UInt64(1_000_000_000 / (try words.number(2)))
    let count = try words.number(3)
    let publisher = try bus.publisher(topic: Topic(topic), sender: "paced", type: "b")
    line.awaitStart()
    line.endWithParent()
    conclave_pace_precisely()
    var payload = template
    var due = conclave_monotonic_ns()
    for _ in 0..<count {
      due += interval
      conclave_pace_until(due)
      write(conclave_monotonic_ns(), to: &payload)
      try unsafe publisher.publish(json: payload.span.bytes)
    }
  }

  /// When the publisher of `payload` sent it (CLOCK_MONOTONIC in nanoseconds).
  static func sent(_ payload: RawSpan) -> UInt64 {
    guard payload.byteCount > head.count + digits else { return 0 }
    var value: UInt64 = 0
    for offset in head.count..<head.count + digits {
      let byte = unsafe payload.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      // The number is filled up with spaces from the left.
      if byte != UInt8(ascii: " ") { value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0")) }
    }
    return value
  }

  private static var template: [UInt8] {
    let rest = 256 - head.count - digits - 13
    return head + [UInt8](repeating: UInt8(ascii: " "), count: digits) + Array(#","filler":""#.utf8)
      + [UInt8](repeating: UInt8(ascii: "x"), count: rest) + Array(#""}"#.utf8)
  }

  private static func write(_ number: UInt64, to payload: inout [UInt8]) {
    var rest = number
    var index = head.count + digits
    repeat {
      index -= 1
      payload[index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
  }
}

/// Gives turns at a steady rate.
enum FutexPacedWorker: Worker {
  static let name = "futex-paced"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let page = try TurnPage(words.text(0))
    let interval = UInt64(1_000_000_000 / (try words.number(1)))
    let count = try words.number(2)
    line.awaitStart()
    line.endWithParent()
    conclave_pace_precisely()
    var due = conclave_monotonic_ns()
    for turn in 1...UInt32(count) {
      due += interval
      conclave_pace_until(due)
      page.give(turn, .there)
      // Or a turn could be overwritten before it was seen.
      try page.await(turn, .back)
    }
  }
}
