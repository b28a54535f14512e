import ConclaveBus
import Testing

/// Looking into payloads that others wrote.
@Suite struct RawJSONReadingTests {
  @Test(arguments: [
    (#"{"a":1}"#, "a", "1"), (#" { "b" : 2 , "a" : [1, {"a":3}] } "#, "a", #"[1, {"a":3}]"#),
    (#"{"\u0061":"x"}"#, "a", #""x""#), (#"{"":{}}"#, "", "{}"), (#"{"ü":null}"#, "ü", "null"),
    (#"{"a":{"b":1},"c":2}"#, "c", "2"),
  ])
  func members(_ json: String, _ key: String, _ value: String) throws {
    #expect(try RawJSON(json).member(key)?.description == value)
  }

  @Test(arguments: [
    "{}", " { } ", "[]", "1", "\"a\"", "null", #"{"b":1}"#, #"{"b":{"a":1}}"#, #"{"A":1}"#,
    #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"[{"a":1}]"#,
  ])
  func noMember(_ json: String) throws { #expect(try RawJSON(json).member("a") == nil) }

  @Test(arguments: [
    (#""""#, ""), (#" "a\n\"\\\/" "#, "a\n\"\\/"), (#""\ud83d\ude00\ud800""#, "😀\u{FFFD}"),
    ("\"日本\"", "日本"), (#""\u0000""#, "\0"),
  ])
  func strings(_ json: String, _ text: String) throws { #expect(try RawJSON(json).string == text) }

  @Test(arguments: ["1", "null", "{}", "[\"a\"]", "true"])
  func noString(_ json: String) throws { #expect(try RawJSON(json).string == nil) }

  @Test func truthValues() throws {
    #expect(try RawJSON(" true\n").boolean == true && RawJSON("false").boolean == false)
    for other in ["1", "\"true\"", "null", "[true]"] { #expect(try RawJSON(other).boolean == nil) }
  }
}
