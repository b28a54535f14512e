import Testing

@testable import ConclaveConsensus

/// What an agent stands for, in its own words if it says them.
@Suite struct ThesisTests {
  @Test(arguments: [
    ("long text\n\nTHESIS: It is broken. Mend it.", "It is broken. Mend it."),
    ("long text\n\n**THESIS:** It is\nbroken.\n\nRegards", "It is broken."),
    ("## THESIS:\n\nIt is broken.", "It is broken."),
    ("THESIS: the first\n\nTHESIS: the last", "the last"),
  ])
  func stated(_ text: String, _ thesis: String) {
    #expect(Thesis.stated(in: text) == thesis)
  }

  @Test(arguments: ["", "no such line", "THESIS:", "THESIS:\n\n", "My THESIS: is inside a line"])
  func notStated(_ text: String) {
    #expect(Thesis.stated(in: text) == nil)
  }

  /// Points inside of names, versions and abbreviations end no sentence.
  @Test(arguments: [
    ("Open main.go and v1.2 of it. Then stop.", ["Open main.go and v1.2 of it.", "Then stop."]),
    ("Use a lock, e.g. flock. Done!", ["Use a lock, e.g. flock.", "Done!"]),
    ("Is it? \"Yes.\" No end", ["Is it?", "\"Yes.\"", "No end"]),
    ("1. First point. 2. Second one.", ["1. First point.", "2. Second one."]),
    ("", []),
  ])
  func sentences(_ text: String, _ expected: [String]) {
    #expect(Thesis.sentences(text) == expected)
  }

  @Test func takesProseAlone() {
    let text = """
      # Findings
      ```
      code. more code. and more.
      ```
      One is wrong. Two is right.
      Three is missing. Four is too much.
      """
    #expect(Thesis.beginning(of: text) == "One is wrong. Two is right. Three is missing.")
  }

  @Test func isCutBetweenWords() {
    let thesis = Thesis(agent: "a", text: String(repeating: "word ", count: 1000))
    #expect(thesis.text.count <= Thesis.lengthLimit + 6)
    #expect(thesis.text.hasSuffix("word [...]"))
  }
}
