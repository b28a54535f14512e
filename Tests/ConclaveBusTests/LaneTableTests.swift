import Testing

@testable import ConclaveBus

@Suite struct LaneTableTests {
  /// Who may write into the ring may write while somebody reads: a topic that was checked and one
  /// that names a file must be the same bytes.
  @Test func topicIsTheOneThatWasChecked() throws {
    var record = [UInt8](repeating: 0, count: 56)
    record.replaceSubrange(32..., with: Array("a.topic/by-somebody.............".utf8))
    let lengths = RecordHead.word3(process: 1, topic: 7, sender: 12, type: 0, stream: 3)
    record[0] = 1
    unsafe record.withUnsafeMutableBytes { bytes in
      unsafe bytes.storeBytes(of: lengths, toByteOffset: 24, as: UInt64.self)
    }
    let found = unsafe RecordHead.read(record.span.bytes)
    let head = try #require(found)
    var table = LaneTable(laneCount: 1, prefix: .all)
    unsafe record.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let names = unsafe start + 32
      let entry = unsafe table.entry(lane: 0, incarnation: 1, head, names: names)
      unsafe names.copyMemory(from: Array("../../x".utf8), byteCount: 7)
      let (isWanted, topic) = unsafe (entry.pointee.isWanted, entry.pointee.topic)
      #expect(isWanted)
      #expect(unsafe String(decoding: topic, as: UTF8.self) == "a.topic")
    }
  }
}
