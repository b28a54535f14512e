import ConclaveBus
import Testing

@testable import ConclaveTool

@Suite struct ArgumentTests {
  private static let text = Option("text", short: "t", value: "T", "a text")
  private static let flag = Option("flag", short: "f", "a flag")
  private static let other = Option("other", short: "o", "another flag")
  private static let usage = Usage(
    "test", "for tests", operands: [Operand("A", "one"), Operand("B", isRequired: false, "two")],
    options: [text, flag, other], examples: [])

  @Test func requiredOptions() throws {
    let needed = Option("needed", value: "N", isRequired: true, "needed")
    let usage = Usage("test", "for tests", options: [needed], examples: [])
    #expect(try ArgumentParser.parse(["--needed", "x"], by: usage).required(needed) == "x")
    #expect(try ArgumentParser.parse(["--help"], by: usage).has(.help))
    let error = #expect(throws: ToolError.self) { try ArgumentParser.parse([], by: usage) }
    #expect(error?.message == "option --needed is missing")
    #expect(helpText(usage).contains("Usage: conclave test --needed N [options]\n"))
  }

  private func parse(_ arguments: String...) throws(ToolError) -> Arguments {
    try ArgumentParser.parse(arguments, by: Self.usage)
  }

  @Test(arguments: [
    ["a", "--text", "x"], ["a", "--text=x"], ["a", "-t", "x"], ["a", "-tx"], ["--text=x", "a"],
    ["a", "--text=y", "--text=x"],
  ])
  func spellings(_ arguments: [String]) throws {
    let parsed = try ArgumentParser.parse(arguments, by: Self.usage)
    #expect(parsed.text(Self.text) == "x")
    #expect(parsed.operands == ["a"])
  }

  @Test func joinedFlags() throws {
    let parsed = try parse("a", "-oft", "x")
    #expect(parsed.has(Self.flag) && parsed.has(Self.other))
    #expect(parsed.text(Self.text) == "x")
  }

  @Test func twoDashesEndTheOptions() throws {
    #expect(try parse("--", "--flag", "-x").operands == ["--flag", "-x"])
    #expect(try parse("-").operands == ["-"])
  }

  @Test func theLastOperandMayRepeat() throws {
    let usage = Usage(
      "test", "for tests",
      operands: [Operand("A", "one"), Operand("B", isRequired: false, isRepeated: true, "more")],
      options: [Self.flag], examples: [])
    for operands in [["a"], ["a", "b"], ["a", "b", "c", "d"]] {
      #expect(try ArgumentParser.parse(operands + ["-f"], by: usage).operands == operands)
    }
    #expect(throws: ToolError.self) { try ArgumentParser.parse([], by: usage) }
    #expect(helpText(usage).contains("Usage: conclave test A [B...] [options]\n"))
  }

  @Test func valuesMayLookLikeOptions() throws {
    #expect(try parse("a", "--text", "-5").text(Self.text) == "-5")
    #expect(try parse("a", "--text=--flag").text(Self.text) == "--flag")
    #expect(try parse("a", "--text=").text(Self.text) == "")
  }

  @Test(arguments: [
    ([], "A is missing"), (["a", "b", "c"], "unexpected argument \"c\""),
    (["a", "--flag=1"], "option --flag takes no value"),
    (["a", "--text"], "option --text needs a value"),
    (["a", "-t"], "option -t needs a value"),
    (["a", "--text", "--flag"], "option --text needs a value"),
    (["a", "-x"], "unknown option \"-x\""), (["a", "--=x"], "unknown option \"--\""),
  ])
  func mistakes(_ arguments: [String], _ message: String) {
    let error = #expect(throws: ToolError.self) {
      try ArgumentParser.parse(arguments, by: Self.usage)
    }
    #expect(error?.message == message)
    #expect(error?.exit == .usage)
  }

  @Test func helpNeedsNothingElse() throws {
    #expect(try parse("--help").has(.help))
    #expect(try parse("-h").has(.help))
  }

  @Test(arguments: [
    ("100ms", 100_000_000), ("1s", 1_000_000_000), ("2m", 120_000_000_000), ("1.5", 1_500_000_000),
    ("0", 0), ("250us", 250_000), ("1h", 3_600_000_000_000), (".5s", 500_000_000),
  ])
  func durations(_ text: String, _ nanoseconds: Int64) {
    #expect(parseDuration(text) == .nanoseconds(nanoseconds))
  }

  @Test(arguments: ["", "s", "-1s", "1x", "1 s", "1e3", "inf", "nan", "1ss", "99999999999h", "٣s"])
  func notDurations(_ text: String) { #expect(parseDuration(text) == nil) }

  @Test(arguments: [
    ("0", 0), ("17", 17), ("4MiB", 4_194_304), ("1.5KiB", 1536), ("2kB", 2000), ("1GiB", 1 << 30),
    ("3MB", 3_000_000), ("1GB", 1_000_000_000), ("9B", 9),
  ])
  func sizes(_ text: String, _ bytes: Int) { #expect(parseByteCount(text) == bytes) }

  @Test(arguments: ["", "KiB", "-1", "1K", "1 MiB", "99999999999GiB", "1..2"])
  func notSizes(_ text: String) { #expect(parseByteCount(text) == nil) }

  @Test(arguments: ["", "0", "-1", "+1", "1.5", "1e3", "99999999999999999999"])
  func notCounts(_ text: String) { #expect(parseCount(text) == nil) }

  @Test(arguments: [
    ("--sendre", "--sender"), ("--payloda", "--payload"), ("--typ", "--type"), ("--x", nil),
    ("-q", nil), ("--unrelated", nil),
  ])
  func suggestions(_ written: String, _ meant: String?) {
    #expect(closest(to: written, among: ["--sender", "--type", "--payload", "-s"]) == meant)
  }

  @Test func distances() {
    #expect(editDistance("", "abc") == 3)
    #expect(editDistance("abc", "abc") == 0)
    #expect(editDistance("abc", "acb") == 1)
    #expect(editDistance("kitten", "sitting") == 3)
  }

  @Test func decimals() {
    #expect(decimal(0, digits: 3) == "0.000")
    #expect(decimal(0.0625, digits: 3) == "0.063")
    #expect(decimal(-1.25, digits: 1) == "-1.3")
    #expect(decimal(1234.5678, digits: 0) == "1235")
    #expect(decimal(1e300, digits: 3) == "1e+300")
  }

  @Test func jsonEscapes() {
    var object = JSONObject()
    object.add("a\"b", "\u{1}\n\\ \u{1F600}")
    object.add("n", Double.nan)
    #expect(object.text == #"{"a\"b":"\u0001\n\\ 😀","n":null}"#)
  }
}
