import ConclaveBus
import Testing

/// RFC 8259, accepted and refused byte for byte.
@Suite struct JSONGrammarTests {
  static let valid = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "123456789012345678901234567890", "0.5",
    "-0.0", "1e1", "1E+1", "1e-1", "1.25E400", #""""#, #""a""#, #"" !#$%&'()*+,-./~\#u{7F}""#,
    #""\"\\\/\b\f\n\r\t""#, #""\u0000\uD83D\uDE00\ud800""#, "\"\u{80}\u{7FF}\u{800}\u{FFFF}\"",
    "\"\u{10000}\u{10FFFF}\"", "[]", "{}", "[ ]", "{ }", "[1]", "[1,2]", "[[],[[]],{}]",
    #"{"a":1}"#, #"{"a":1,"a":2}"#, #"{"":{"":[{"":""}]}}"#, " \t\r\n[ 1 , 2 ] \n",
    " { \"a\" : 1 , \"b\" : [ ] } ", "[true,false,null]",
    "\"" + String(repeating: "x", count: 1000) + "\"",
  ]

  static let invalid = [
    "", " ", "nul", "nulll", "True", "NaN", "Infinity", "-", "+1", "01", "-01", "1.", ".5", "1.e1",
    "1e", "1e+", "0x1", "1 2", "1,", "'a'", "\"", "\"a", #""\""#, #""\x""#, #""\u12""#,
    #""\u12G4""#,
    "\"\u{1F}\"", "\"\n\"", "\"\0\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{",
    "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}",
    "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "[]]", "{}}", "[] []", "\u{FEFF}[]", "\u{A0}1",
    "\u{0B}1", "1\u{0C}", "//x\n1", "[1]#",
  ]

  @Test(arguments: valid) func accepts(_ text: String) throws {
    let json = try RawJSON(text)
    #expect(json.bytes == Array(text.utf8))
  }

  @Test(arguments: invalid) func refuses(_ text: String) {
    #expect { try RawJSON(text) } throws: { ($0 as? BusError)?.code == .invalidPayload }
  }

  @Test(
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x80, 0x80],
      [0xE0, 0x9F, 0xBF], [0xE1, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
      [0xF0, 0x80, 0x80, 0x80],
      [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80],
      [0xFF], [0xFE],
    ] as [[UInt8]])
  func refusesMalformedUTF8(_ sequence: [UInt8]) {
    // At every distance from the ends, so that every width of the scanner meets it.
    for before in 0..<40 {
      let bytes = [0x22] + [UInt8](repeating: 0x61, count: before) + sequence + [0x62, 0x62, 0x22]
      #expect(throws: BusError.self) { try RawJSON(bytes) }
      #expect(throws: BusError.self) { try RawJSON(Array(bytes.dropLast(3))) }
    }
  }

  @Test func agreesWithSwiftOnTwoByteStrings() {
    for first in 0...255 as ClosedRange<UInt8> {
      for second in 0...255 as ClosedRange<UInt8> where first >= 0x80 || second >= 0x80 {
        let text = [first, second]
        let isUTF8 = String(validating: text, as: UTF8.self) != nil
        let isPlain = !text.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }
        guard isPlain else { continue }
        #expect(((try? RawJSON([0x22] + text + [0x22])) != nil) == isUTF8)
      }
    }
  }

  @Test func findsEverySpecialByteAtEveryPlace() {
    for length in 0..<70 {
      for place in 0..<length {
        var text = [UInt8](repeating: 0x61, count: length)
        text[place] = 0x1F
        #expect(throws: BusError.self) { try RawJSON([0x22] + text + [0x22]) }
        text[place] = 0x22
        #expect(throws: BusError.self) { try RawJSON([0x22] + text + [0x22]) }
        text[place] = 0x7F
        #expect(throws: Never.self) { try RawJSON([0x22] + text + [0x22]) }
      }
    }
  }

  @Test func refusesEveryTruncation() throws {
    let sample = #"{"kind":"fänd😀","n":[-1.5e+3,true,false,null,{"q":"\"\u00e9\\"}],"end":{}}"#
    let bytes = Array(sample.utf8)
    #expect(throws: Never.self) { try RawJSON(bytes) }
    for length in 0..<bytes.count {
      #expect(throws: BusError.self) { try RawJSON(Array(bytes[..<length])) }
    }
  }

  @Test func boundsTheDepth() {
    func nested(_ depth: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
    #expect(throws: Never.self) { try RawJSON(nested(1000, "[", "]")) }
    #expect(throws: Never.self) { try RawJSON(nested(500, "[{\"a\":", "}]")) }
    #expect(throws: BusError.self) { try RawJSON(nested(1001, "[", "]")) }
    #expect(throws: BusError.self) { try RawJSON(nested(1001, "{\"a\":", "}")) }
    #expect(throws: BusError.self) { try RawJSON(String(repeating: "[", count: 1_000_000)) }
    // What closes must be what was opened, at every depth.
    for depth in 1...200 {
      let text =
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth - 1) + "}"
      #expect(throws: BusError.self) { try RawJSON(text) }
    }
  }

  @Test func namesTheByteAndTheReason() {
    do throws(BusError) {
      _ = try RawJSON(#"{"a":1,"b":tru}"#)
      Issue.record("accepted")
    } catch {
      #expect(error.message.contains("byte 11"))
      #expect(error.message.contains("no value begins like this"))
    }
  }

  @Test(arguments: ["", "plain", "\"\\/\u{8}\u{C}\n\r\t\0\u{1F}\u{7F}", "żółć 😀 \u{2028}"])
  func wrapsText(_ text: String) throws {
    let json = RawJSON.text(text)
    #expect(throws: Never.self) { try RawJSON(json.bytes) }
    // A sender's name takes the same way: what is decoded must be what was escaped.
    let topic = try Topic("t")
    let envelope = Envelope(
      id: MessageID(process: 1, counter: 1), seq: 1,
      timestamp: Timestamp(nanosecondsSinceEpoch: 0), sender: "a", topic: topic, type: "x",
      payload: json)
    let read = try unsafe Envelope(jsonLine: envelope.jsonLine().span.bytes)
    #expect(read.payload == json)
  }
}
