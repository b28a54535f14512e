import Testing

@testable import ConclaveBus

@Suite struct LaneTableTests {
  /// Who may write into the ring may write while somebody reads: a topic that was checked and one
  /// that names a file must be the same bytes.
  @Test func topicIsTheOneThatWasChecked() throws {
    var names = Array("a.topicby-somebody".utf8)
    names += [UInt8](repeating: 0, count: 8)
    let head = try head(topic: 7, sender: 11)
    var table = LaneTable(laneCount: 1, prefix: .all)
    unsafe names.withUnsafeMutableBytes { names in
      guard let start = names.baseAddress else { return }
      let entry = unsafe table.entry(lane: 0, incarnation: 1, head, names: start)
      unsafe start.copyMemory(from: Array("../../x, or no one".utf8), byteCount: 18)
      let (isWanted, stream) = unsafe (entry.pointee.isWanted, entry.pointee.stream)
      #expect(isWanted)
      #expect(unsafe String(decoding: stream, as: UTF8.self) == "a.topicby-somebody")
      let (topic, sender) = unsafe (entry.pointee.topic, entry.pointee.sender)
      #expect(unsafe String(decoding: topic, as: UTF8.self) == "a.topic")
      #expect(unsafe String(decoding: sender, as: UTF8.self) == "by-somebody")
    }
  }

  @Test(arguments: [
    ("a.topic", "sender", true), ("a..topic", "sender", false), ("../topic", "sender", false),
    ("", "sender", false), ("a.topic", "", false), ("a.topic", "\u{1B}[2J", false),
    ("a.topic", "sen\nder", false), ("a.topic", "żółć", true),
    ("a.topic", String(repeating: "s", count: 201), false),
  ])
  func onlyWellFormedNamesAreWanted(_ topic: String, _ sender: String, _ isWanted: Bool) throws {
    let names = Array((topic + sender).utf8) + [UInt8](repeating: 0, count: 8)
    let head = try head(topic: topic.utf8.count, sender: sender.utf8.count)
    var table = LaneTable(laneCount: 1, prefix: .all)
    unsafe names.withUnsafeBytes { names in
      guard let start = names.baseAddress else { return }
      let entry = unsafe table.entry(lane: 0, incarnation: 1, head, names: start)
      let found = unsafe entry.pointee.isWanted
      #expect(found == isWanted)
    }
  }

  @Test(arguments: [
    ("\u{7}a.topicsender", true), ("\u{7}a/topicsender", false), ("\u{7}a.topic\u{1B}[2J", false),
    ("\u{7}a.topic", false), ("\u{8}a.topic", false), ("", false),
  ])
  func onlyWellFormedNamesAreListed(_ key: String, _ isNamed: Bool) {
    #expect((StreamKey.parse(Array(key.utf8)) != nil) == isNamed)
  }

  /// Of a record with a single byte for a payload.
  private func head(topic: Int, sender: Int) throws -> RecordHead.Fields {
    var record = [UInt8](repeating: 0, count: 33 + RecordHead.paddedBytes(names: topic + sender))
    let lengths = RecordHead.word3(process: 1, topic: topic, sender: sender, type: 0, stream: 3)
    record[0] = 1
    unsafe record.withUnsafeMutableBytes { bytes in
      unsafe bytes.storeBytes(of: lengths, toByteOffset: 24, as: UInt64.self)
    }
    let found = unsafe RecordHead.read(record.span.bytes)
    return try #require(found)
  }
}
