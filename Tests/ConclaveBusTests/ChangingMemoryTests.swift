import BusTesting
import Glibc
import Synchronization
import Testing

@testable import ConclaveBus

/// Who may write into a segment may do so while others read a record in place.
@Suite struct ChangingMemoryTests {
  /// The mirror measures a line before it writes it. Each payload of up to eight bytes that are
  /// line feeds or not, and what each other one of that length becomes in the room of the first.
  @Test(arguments: 0...8)
  func noLineOutgrowsItsRoom(_ length: Int) throws {
    for measured in 0..<1 << length {
      for written in 0..<1 << length { try expectLine(of: length, measured, written) }
    }
  }

  /// Of many line feeds each takes four digits and a comma.
  @Test func noLineOfManyLineFeedsOutgrowsItsRoom() throws {
    for measured in [0, 1, 10, 4000, 9999, 10_000] {
      try expectLine(fill(10_000, measured), then: fill(10_000, 10_000))
      try expectLine(fill(10_000, measured), then: fill(10_000, 5000))
    }
  }

  /// Somebody changes a byte of a type, to and fro, while it is read: a `String` of it may be one
  /// or the other, not what is no text.
  @Test func aTypeIsText() async throws {
    let memory = try TwiceMapped(bytes: 4096)
    let isDone = Atomic(false)
    let wrong = Atomic(0)
    try await onThreads(2) { thread in
      guard thread == 0 else { return memory.change(100, until: isDone) }
      defer { isDone.store(true, ordering: .relaxed) }
      for _ in 0..<50_000
      where String(validating: Array(memory.type(200).utf8), as: UTF8.self) == nil {
        wrong.add(1, ordering: .relaxed)
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  private func fill(_ count: Int, _ feeds: Int) -> [UInt8] {
    (0..<count).map { $0 < feeds ? 0x0A : UInt8(ascii: "1") }
  }

  private func expectLine(of length: Int, _ measured: Int, _ written: Int) throws {
    func payload(_ feeds: Int) -> [UInt8] {
      (0..<length).map { feeds >> $0 & 1 == 1 ? 0x0A : UInt8(ascii: "1") }
    }
    try expectLine(payload(measured), then: payload(written))
  }

  private func expectLine(_ measured: [UInt8], then written: [UInt8]) throws {
    let names = Array("a.topicsomebodya.type".utf8)
    let guardBytes = 8 * written.count + 64
    let guardByte: UInt8 = 0xA5
    unsafe names.withUnsafeBytes { names in
      let view = unsafe EnvelopeView(
        unsafeNames: names, topicLength: 7, senderLength: 8, id: MessageID(process: 1, counter: 1),
        seq: .max, timestamp: Timestamp(nanosecondsSinceEpoch: 0), incarnation: .max,
        position: .max)
      let capacity = unsafe measured.withUnsafeBytes { unsafe view.capacity(payload: $0) }
      var memory = [UInt8](repeating: guardByte, count: capacity + guardBytes)
      let length = unsafe memory.withUnsafeMutableBytes { memory in
        guard let start = memory.baseAddress else { return 0 }
        var cursor = unsafe LineCursor(unsafe: start, room: capacity)
        unsafe written.withUnsafeBytes { unsafe view.write(payload: $0, to: &cursor) }
        return unsafe cursor.place - start
      }
      #expect(length < capacity, "no room for the line feed behind it")
      #expect(memory[length...].allSatisfy { $0 == guardByte })
      #expect(!memory[..<length].contains(0x0A))
      guard measured == written, (try? RawJSON(written)) != nil else { return }
      let line = unsafe try? Envelope(jsonLine: Array(memory[..<length]).span.bytes)
      #expect(line?.payload.bytes == written)
    }
  }
}

/// Memory at two places, as two processes have it, so that no sanitizer takes it for one that two
/// threads should take turns with. Neither place changes; what lies there is raced for on purpose,
/// a byte at a time.
@safe
private final class TwiceMapped: Sendable {
  private nonisolated(unsafe) let first: UnsafeMutableRawBufferPointer
  private nonisolated(unsafe) let second: UnsafeMutableRawBufferPointer

  init(bytes: Int) throws {
    let directory = try TemporaryDirectory()
    let file = unsafe open(directory.appending("memory"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(file >= 0 && ftruncate(file, bytes) == 0)
    defer { close(file) }
    unsafe first = unsafe TwiceMapped.map(file, bytes)
    unsafe second = unsafe TwiceMapped.map(file, bytes)
    unsafe first.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "a"))
  }

  private static func map(_ file: Int32, _ bytes: Int) -> UnsafeMutableRawBufferPointer {
    let start = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    precondition(unsafe start != MAP_FAILED)
    return unsafe UnsafeMutableRawBufferPointer(start: start, count: bytes)
  }

  deinit {
    unsafe munmap(first.baseAddress, first.count)
    unsafe munmap(second.baseAddress, second.count)
  }

  /// Makes a byte what it was and no text, by turns.
  func change(_ index: Int, until isDone: borrowing Atomic<Bool>) {
    while !isDone.load(ordering: .relaxed) {
      unsafe first[index] = first[index] == 0xFF ? UInt8(ascii: "a") : 0xFF
    }
  }

  /// The first bytes, read as a type where they lie.
  func type(_ length: Int) -> String {
    unsafe EnvelopeView(
      unsafeNames: UnsafeRawBufferPointer(rebasing: second[..<length]), topicLength: 0,
      senderLength: 0, id: MessageID(process: 1, counter: 1), seq: 1,
      timestamp: Timestamp(nanosecondsSinceEpoch: 0), incarnation: 1, position: nil
    ).type
  }
}
