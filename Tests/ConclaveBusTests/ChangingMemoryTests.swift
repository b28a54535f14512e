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
