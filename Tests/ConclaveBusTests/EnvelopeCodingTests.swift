import ConclaveBus
import Testing

/// Envelopes as lines of JSON.
@Suite struct EnvelopeCodingTests {
  private func envelope(
    sender: String = "task-3", type: String = "board.discovery", payload: String = #"{"text":"x"}"#,
    incarnation: UInt64 = 17, position: UInt64? = nil
  ) throws -> Envelope {
    Envelope(
      id: MessageID(process: 4711, counter: 1_763_715_900_123_456_789), seq: 42,
      timestamp: Timestamp(nanosecondsSinceEpoch: 1_763_715_900_123_456_789), sender: sender,
      topic: try Topic("parallel.wave-0.board"), type: type, payload: try RawJSON(payload),
      incarnation: incarnation, position: position)
  }

  private func read(_ line: String) throws -> Envelope {
    try unsafe Envelope(jsonLine: Array(line.utf8).span.bytes)
  }

  private func reason(_ line: String) -> String {
    do throws(BusError) {
      _ = try unsafe Envelope(jsonLine: Array(line.utf8).span.bytes)
      return "accepted"
    } catch {
      return error.code == .corrupt ? error.message : "another code"
    }
  }

  @Test func writesTheSevenKeysFirst() throws {
    let line = String(decoding: try envelope(position: 9).jsonLine(), as: UTF8.self)
    #expect(
      line == #"{"id":"4711-1763715900123456789","seq":42,"#
        + #""timestamp":"2025-11-21T09:05:00.123456789Z","sender":"task-3","#
        + #""topic":"parallel.wave-0.board","type":"board.discovery","payload":{"text":"x"},"#
        + #""incarnation":17,"position":9}"#)
  }

  @Test func leavesOutWhatIsNotThere() throws {
    let line = String(decoding: try envelope(incarnation: 0).jsonLine(), as: UTF8.self)
    #expect(line.hasSuffix(#""payload":{"text":"x"}}"#))
  }

  @Test(arguments: ["\"", "\\", "żółć 😀", "a b", "</script>", "\u{2028}\u{7F}"])
  func escapesNames(_ name: String) throws {
    let original = try envelope(sender: name, type: name)
    #expect(try read(String(decoding: original.jsonLine(), as: UTF8.self)) == original)
  }

  @Test(arguments: [
    "\n1", "1\n", "{\n  \"a\": [\n    1,\r\n    2\n  ]\n}\n", "\n\n\n\n\n\n\n\n\n\n\n\n[]",
    " {\n} ",
    #"{"text":"not a \n line feed"}"#,
  ])
  func carriesLineFeedsOfThePayload(_ payload: String) throws {
    let original = try envelope(payload: payload, position: 1)
    let line = original.jsonLine()
    #expect(!line.contains(0x0A))
    #expect(throws: Never.self) { try RawJSON(line) }
    #expect(try read(String(decoding: line, as: UTF8.self)) == original)
  }

  @Test func readsWhatGoWrites() throws {
    let line =
      #"{"id":"31337-7","seq":7,"timestamp":"2025-11-21T10:05:00.5+01:00","sender":"claude","#
      + #""topic":"consensus.s1.debate","type":"debate.rebuttal","#
      + #""payload":{"position":"disagree"}}"#
    let envelope = try read(line)
    #expect(envelope.id == MessageID(process: 31337, counter: 7))
    #expect(envelope.timestamp.description == "2025-11-21T09:05:00.500000000Z")
    #expect(envelope.payload.description == #"{"position":"disagree"}"#)
    #expect(envelope.incarnation == 0 && envelope.position == nil)
  }

  @Test func readsKeysInAnyOrderAndIgnoresOthers() throws {
    let line =
      #" { "v" : [{"id":1}] , "payload" : [ 1 ] , "type":"x","topic":"t\u002eu","\u0073eq" : 3,"#
      + #""sender":"\ud83d\ude00\ud800","timestamp":"1970-01-01T00:00:00Z","id":"1-2","crc":"z" } "#
    let envelope = try read(line)
    #expect(envelope.payload.description == "[ 1 ]")
    #expect(envelope.topic.name == "t.u" && envelope.sender == "😀\u{FFFD}" && envelope.seq == 3)
  }

  @Test func saysWhatIsWrong() throws {
    let good = String(decoding: try envelope().jsonLine(), as: UTF8.self)
    func with(_ old: String, _ new: String) -> String {
      let parts = good.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
      return parts.joined(separator: new)
    }
    #expect(reason(good) == "accepted")
    #expect(reason("[]").contains("not a JSON object"))
    #expect(reason("{}").contains("not JSON"))
    #expect(reason(#"{"a":1}"#).contains(#"the key "id" is missing"#))
    #expect(reason(with(#""seq":42,"#, "")).contains(#"the key "seq" is missing"#))
    #expect(reason(with(#""seq":42"#, #""seq":1,"seq":42"#)).contains("twice"))
    #expect(reason(with(#""seq":42"#, #""seq":0"#)).contains("seq"))
    #expect(reason(with(#""seq":42"#, #""seq":4.2"#)).contains("seq"))
    #expect(reason(with(#""seq":42"#, #""seq":18446744073709551616"#)).contains("seq"))
    #expect(reason(with("4711-", "4711:")).contains("id"))
    #expect(reason(with("4711-", "4294967296-")).contains("id"))
    #expect(reason(with("2025-11", "2025-13")).contains("timestamp"))
    #expect(reason(with("parallel.wave", "../wave")).contains("topic"))
    #expect(reason(with("task-3", #"\u0000"#)).contains("sender"))
    #expect(reason(with("task-3", String(repeating: "x", count: 201))).contains("sender"))
    #expect(reason(good + "x").contains("follows"))
    #expect(reason(with(#""x"}"#, #""x"}}"#)).contains("follows"))
  }

  private func line(payload: String, newlines: String) -> String {
    #"{"id":"1-1","seq":1,"timestamp":"1970-01-01T00:00:00Z","sender":"a","topic":"t","type":"x","#
      + #""payload":\#(payload),"payloadNewlines":\#(newlines)}"#
  }

  // Of the payload {"a": " "} bytes 5 and 6 are spaces between tokens, byte 8 is one inside a
  // string.
  @Test(arguments: [
    "[8]", "[12]", "[5,5]", "[6,5]", "[4]", "[-1]", "[5 6]", "[5,]", "[,]", "[", "7", "[11]",
    "[99999999999999999999]",
  ])
  func refusesLineFeedsWhereTheyCannotBe(_ newlines: String) throws {
    #expect(reason(line(payload: #"{"a":  " "}"#, newlines: newlines)) != "accepted")
  }

  @Test func keepsWhiteSpaceWhereTheWriterWasExact() throws {
    let padded = try read(line(payload: #" {"a":  " "} "#, newlines: "[ 0 , 6,12 ]"))
    #expect(padded.payload.description == "\n{\"a\":\n \" \"}\n")
    #expect(try read(line(payload: "  1 ", newlines: "[]")).payload.description == "  1 ")
    for payload in [" 1", "1 ", "\t1\r"] {
      let original = try envelope(payload: payload)
      #expect(try read(String(decoding: original.jsonLine(), as: UTF8.self)) == original)
    }
  }

  @Test func refusesEveryTruncation() throws {
    let line = try envelope(payload: "[\n1]", position: 3).jsonLine()
    for length in 0..<line.count {
      #expect(throws: BusError.self) {
        try unsafe Envelope(jsonLine: Array(line[..<length]).span.bytes)
      }
    }
  }

  @Test(arguments: 0..<20) func randomEnvelopesComeBack(_ seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    for _ in 0..<200 {
      let original = Envelope(
        id: MessageID(process: .random(in: 0 ... .max, using: &random), counter: random.next()),
        seq: max(1, random.next() >> UInt64.random(in: 0..<64, using: &random)),
        timestamp: Timestamp(nanosecondsSinceEpoch: random.next()),
        sender: RandomJSON.name(&random), topic: try Topic(RandomJSON.topic(&random)),
        type: RandomJSON.name(&random),
        payload: try RawJSON(RandomJSON.value(&random, depth: 4)),
        incarnation: random.next() % 3, position: Bool.random(using: &random) ? random.next() : nil)
      let line = original.jsonLine()
      #expect(!line.contains(0x0A))
      #expect(try unsafe Envelope(jsonLine: line.span.bytes) == original)
    }
  }
}

/// JSON and names out of a seeded generator.
enum RandomJSON {
  static func value(_ random: inout SeededGenerator, depth: Int) -> String {
    let space = [" ", "\n", "\t", "\r\n", "", ""].randomElement(using: &random) ?? ""
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
    case 0: return space + ["true", "false", "null"][Int.random(in: 0..<3, using: &random)]
    case 1: return "\(Int64.random(in: .min ... .max, using: &random))" + space
    case 2: return "\(Double.random(in: -1e9...1e9, using: &random))"
    case 3, 4: return space + string(&random)
    case 5:
      let items = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
        value(&random, depth: depth - 1)
      }
      return "[" + space + items.joined(separator: ",") + "]" + space
    default:
      let items = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
        string(&random) + space + ":" + value(&random, depth: depth - 1)
      }
      return "{" + space + items.joined(separator: "," + space) + "}"
    }
  }

  static func string(_ random: inout SeededGenerator) -> String {
    let pieces = [
      "a", "Bus", " ", "ż", "中", "😀", #"\""#, #"\\"#, #"\n"#, #"\u00e9"#, "0123456789abcdef",
    ]
    let text = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
      pieces.randomElement(using: &random) ?? ""
    }
    return "\"" + text.joined() + "\""
  }

  static func name(_ random: inout SeededGenerator) -> String {
    let pieces = ["a", "task", "-", "\"", "\\", "ż", "中", "😀", " "]
    return (0...Int.random(in: 0..<9, using: &random)).map { _ in
      pieces.randomElement(using: &random) ?? ""
    }.joined()
  }

  static func topic(_ random: inout SeededGenerator) -> String {
    (0...Int.random(in: 0..<3, using: &random)).map { _ in "s\(random.next() % 100)" }
      .joined(separator: ".")
  }
}
