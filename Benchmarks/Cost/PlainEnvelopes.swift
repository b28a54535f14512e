import CShim

/// What an envelope asks for beyond the shim, done by hand for one stream and one thread: number,
/// id and time stamp on one side; bounds, names and number on the other. No lock, no closures, no
/// layers: the least that the bus's own interface could cost.
@safe
struct PlainEnvelopes: ~Copyable {
  /// As long as what the bus puts in front of a payload: four words of numbers, three short names.
  static let headBytes = 48
  static let constantHead = [UInt64](repeating: 0x6263_6263_6263_6263, count: headBytes / 8)

  private let head: UnsafeMutableRawBufferPointer
  private var clock = conclave_stamp_clock()
  private var number: UInt64 = 0
  private var last: UInt64 = 0
  /// Heads that did not fit, and numbers that did not follow.
  private(set) var gaps = 0

  init() {
    unsafe head = .allocate(byteCount: PlainEnvelopes.headBytes, alignment: 8)
    unsafe PlainEnvelopes.constantHead.withUnsafeBytes {
      unsafe head.copyMemory(from: $0)
    }
  }

  deinit { unsafe head.deallocate() }

  /// The head of the next message, until the next call.
  @inline(__always)
  mutating func nextHead() -> UnsafeRawBufferPointer {
    number += 1
    unsafe head.storeBytes(of: number, toByteOffset: 0, as: UInt64.self)
    unsafe head.storeBytes(of: conclave_stamp_clock_now(&clock), toByteOffset: 8, as: UInt64.self)
    unsafe head.storeBytes(of: number, toByteOffset: 16, as: UInt64.self)
    return unsafe UnsafeRawBufferPointer(head)
  }

  /// Checks one message; returns a word of its payload.
  @inline(__always)
  mutating func check(_ record: conclave_record) -> UInt64 {
    guard let body = unsafe UnsafeRawPointer(record.body),
      unsafe record.kind == UInt32(CONCLAVE_WHOLE),
      unsafe Int(record.body_bytes) >= PlainEnvelopes.headBytes + 8,
      unsafe same(body, at: 24), unsafe same(body, at: 32), unsafe same(body, at: 40),
      unsafe body.loadUnaligned(as: UInt64.self) == last + 1
    else {
      gaps += 1
      return 0
    }
    last += 1
    return unsafe body.loadUnaligned(fromByteOffset: PlainEnvelopes.headBytes, as: UInt64.self)
  }

  @inline(__always)
  private func same(_ body: UnsafeRawPointer, at offset: Int) -> Bool {
    unsafe body.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      == head.load(fromByteOffset: offset, as: UInt64.self)
  }
}
