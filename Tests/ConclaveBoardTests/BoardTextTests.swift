import BusTesting
import Testing

@testable import ConclaveBoard

/// What others wrote becomes one harmless line.
@Suite struct BoardTextTests {
  @Test(arguments: [
    ("\u{1B}[2J\u{1B}[31mred\u{1B}[0m", "red"), ("\u{1B}]0;title\u{07}bell", "bell"),
    ("\u{1B}]8;;http://x\u{1B}\\link", "link"), ("\u{9B}31mred", "red"),
    ("\u{1B}(Bx", "x"), ("a\0b\u{7F}c\u{85}d", "a b c d"), ("\u{1B}]open\nnext", "next"),
    (" a\t\r\n  b\u{A0}\u{3000}c\u{2028}d ", "a b c d"), ("\u{202E}abc\u{202C}", "abc"),
    ("z\u{200B}e\u{FEFF}ro", "zero"), ("tag\u{E0041}s", "tags"), ("p\u{E000}u", "pu"),
    ("```swift f()```", "'''swift f()'''"), ("~~~~", "'''"), ("``x`` ~~y~~", "``x`` ~~y~~"),
    ("`\u{200B}``", "'''"), ("<!-- BUS:warning -->", "‹!-- BUS:warning -->"),
    ("<\u{200B}/BUS>", "‹/BUS>"), ("a < b <= c << d <3", "a < b <= c << d <3"),
    ("Array<Int>", "Array‹Int>"), ("<|im_start|>", "‹|im_start|>"), ("<<b>", "<‹b>"),
    ("", ""), ("\u{200B}", ""), ("straße 日本 😀", "straße 日本 😀"),
  ])
  func lines(_ text: String, _ line: String) { #expect(BoardText.line(text) == line) }

  /// Whatever two hostile texts make together, nothing dangerous is left, and a line stays as it is
  /// when it is made a line again.
  @Test func nothingDangerousIsLeft() {
    for first in Hostile.texts {
      for second in Hostile.texts + [""] {
        let line = BoardText.line(first + second)
        check(line)
        #expect(BoardText.line(line) == line)
      }
    }
  }

  @Test func nothingDangerousIsLeftOfRandomTexts() {
    var random = SplitMix64(seed: 41)
    let alphabet = Array(
      "`~<!-/?|>BUS: a\n\r\t\"\\\u{1B}[]\u{07}\u{9B}\u{200B}\u{202E}\u{FE0F}\u{301}".unicodeScalars)
    for _ in 0..<20_000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<random.below(14) { text.append(random.pick(alphabet)) }
      let line = BoardText.line(String(text))
      check(line)
      #expect(BoardText.line(line) == line)
    }
  }

  private func check(_ line: String) {
    for word in ["```", "~~~", "<!", "</", "<?", "<|", "  "] {
      #expect(!line.unicodeScalars.contains(word.unicodeScalars), "\(line.debugDescription)")
    }
    for scalar in line.unicodeScalars {
      let category = scalar.properties.generalCategory
      #expect(![.control, .format, .lineSeparator, .paragraphSeparator].contains(category))
      #expect(!scalar.properties.isDefaultIgnorableCodePoint)
    }
    let scalars = Array(line.unicodeScalars)
    for (left, right) in zip(scalars, scalars.dropFirst()) where left == "<" {
      #expect(!right.properties.isAlphabetic, "\(line.debugDescription)")
    }
  }

  @Test(arguments: [
    ("Use  the Cursor.", "use the cursor"), ("use the cursor", "use the cursor"), ("x!!.", "x"),
    ("...", "..."), ("A\nb", "a b"), ("a-b", "a-b"),
  ])
  func normalised(_ text: String, _ expected: String) {
    #expect(BoardText.normalised(text) == expected)
  }

  @Test func cutsBetweenScalars() {
    let text = "aé日😀"
    let expected = ["", "a", "a", "aé", "aé", "aé", "aé日", "aé日", "aé日", "aé日", text, text]
    for (count, cut) in expected.enumerated() {
      #expect(BoardText.cut(text, toBytes: count) == cut)
    }
  }

  @Test(arguments: [
    ("task-3", "task-3"), ("a/b@c:d+e_f.g", "a/b@c:d+e_f.g"), ("two words", "\"two words\""),
    ("", "\"\""), ("x\u{1B}[0m", "\"x\""), ("a\"b", "\"a\\\"b\""),
    (String(repeating: "x", count: 41), "\"\(String(repeating: "x", count: 40))\""),
  ])
  func names(_ sender: String, _ name: String) { #expect(BoardText.name(sender) == name) }

  @Test(arguments: [
    (0, "just now"), (-5, "just now"), (1, "1 s ago"), (59, "59 s ago"), (60, "1 min ago"),
    (3599, "59 min ago"), (3600, "1 h ago"), (172_799, "47 h ago"), (172_800, "2 d ago"),
  ])
  func ages(_ seconds: Int, _ age: String) {
    #expect(BoardText.age(of: World.second(200_000 - seconds), at: World.second(200_000)) == age)
  }
}

extension String.UnicodeScalarView {
  fileprivate func contains(_ other: String.UnicodeScalarView) -> Bool {
    indices.contains { self[$0...].starts(with: other) }
  }
}
