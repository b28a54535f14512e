import BusTesting
import ConclaveBus
import Testing

@testable import ConclaveRunner

/// Answers come from programs that may write anything.
@Suite struct JSONTreeTests {
  @Test func everyKind() throws {
    let tree = try JSONTree(
      Array(
        #" {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\u00fc\ud83d\ude00\n\"\\"}} "#.utf8))
    #expect(tree["b.c"]?.text == "xü😀\n\"\\")
    #expect(
      tree["a"]?.array == [.number("1"), .number("-2.5e3"), .bool(true), .bool(false), .null])
    #expect(tree["a"]?.array?[1].double == -2500)
    #expect(tree["b.c.d"] == nil && tree["nothing"] == nil)
  }

  @Test func emptyThings() throws {
    #expect(try JSONTree(Array("[ ]".utf8)) == .array([]))
    #expect(try JSONTree(Array("{ }".utf8)) == .object([:]))
    #expect(try JSONTree(Array("\"\"".utf8)) == .string(""))
  }

  @Test(arguments: Payloads.invalid + [String(repeating: "[", count: 101) + "]"])
  func refused(_ text: String) {
    #expect(throws: BusError.self) { try JSONTree(Array(text.utf8)) }
  }

  @Test(arguments: Payloads.awkward.filter { !$0.hasPrefix("[[[") })
  func strangeButValid(_ text: String) throws {
    _ = try JSONTree(Array(text.utf8))
  }

  @Test func numbersThatAreNoIntegers() throws {
    for text in ["1e400", "-1e400", "1e30", "123456789012345678901234567890"] {
      #expect(try JSONTree(Array(text.utf8)).int == nil)
    }
    #expect(try JSONTree(Array("2.0".utf8)).int == 2)
  }

  @Test func loneSurrogates() throws {
    let tree = try JSONTree(Array(#""\ud83d x \ude00""#.utf8))
    #expect(tree.text == "\u{FFFD} x \u{FFFD}")
  }
}
