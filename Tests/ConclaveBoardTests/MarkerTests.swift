import ConclaveBoard
import Testing

/// What counts as a mark in an agent's text, and what does not.
@Suite struct MarkerTests {
  private func texts(_ text: String, prompt: String = "") -> [String] {
    BoardMarkers(in: text, prompt: prompt).markers.map { "\($0.kind): \($0.text)" }
  }

  @Test func theThreeKinds() {
    let found = BoardMarkers(
      in: """
        Done.
        <!-- BUS:discovery -->The API uses cursors<!-- /BUS -->
        <!-- BUS:warning -->Package X v2 breaks auth<!-- /BUS --> and more
        <!-- BUS:intent -->Modifying internal/auth/handler.go<!-- /BUS -->
        """)
    #expect(
      found.markers == [
        .init(kind: .discovery, text: "The API uses cursors"),
        .init(kind: .warning, text: "Package X v2 breaks auth"),
        .init(kind: .intent, text: "Modifying internal/auth/handler.go"),
      ])
    #expect(found.unclosed + found.unopened + found.unknown + found.quoted + found.empty == 0)
  }

  @Test(arguments: [
    "<!--BUS:discovery-->x<!-- /BUS -->", "<!-- bus:discovery -->x", "<!-- BUS:Discovery -->x",
    "<!-- BUS: discovery -->x", "<!-- BUS:discovery-->x", "<!--  BUS:discovery -->x",
    "<! -- BUS:discovery -->x", "<!-- BUS:-->x", "<!-- BUS: -->x", "<!-- BUS:discovery",
    "<!-- BUS:dis\u{200B}covery -->x", "<!-- BUS:discovery --\u{0}>x", "",
  ])
  func onlyExactMarks(_ text: String) {
    let found = BoardMarkers(in: text)
    #expect(found.markers.isEmpty && found.unclosed == 0)
  }

  @Test func severalLines() {
    #expect(
      texts("<!-- BUS:warning -->\n  First.\r\n\nSecond.\n<!-- /BUS -->")
        == ["warning: First.\r\n\nSecond."])
  }

  @Test func aForgottenEndSwallowsNothing() {
    let found = BoardMarkers(
      in: "<!-- BUS:discovery -->never closed\n<!-- BUS:warning -->good<!-- /BUS -->\n"
        + "<!-- BUS:intent -->cut off")
    #expect(found.markers == [.init(kind: .warning, text: "good")])
    #expect(found.unclosed == 2 && found.unopened == 0)
  }

  @Test func ofNestedOnesTheInnerCounts() {
    let found = BoardMarkers(
      in: "<!-- BUS:discovery -->a <!-- BUS:warning -->b<!-- /BUS --> c<!-- /BUS -->")
    #expect(found.markers == [.init(kind: .warning, text: "b")])
    #expect(found.unclosed == 1 && found.unopened == 1)
  }

  @Test(arguments: ["", " ", "\n\n", "\u{200B}", "\u{1B}[0m", "\0"])
  func emptyOnes(_ text: String) {
    let found = BoardMarkers(in: "<!-- BUS:discovery -->\(text)<!-- /BUS -->")
    #expect(found.markers.isEmpty && found.empty == 1)
  }

  @Test(arguments: ["context", "result", "zzz"])
  func kindsThatAgentsDoNotPost(_ kind: String) {
    let found = BoardMarkers(
      in: "<!-- BUS:\(kind) -->x<!-- /BUS --><!-- BUS:discovery -->y<!-- /BUS -->")
    #expect(found.markers.map(\.text) == ["y"] && found.unknown == 1 && found.unopened == 0)
  }

  @Test func longOnesAreCutBetweenCharacters() throws {
    let text = String(repeating: "é", count: 3000)
    let found = BoardMarkers(in: "<!-- BUS:discovery -->a\(text)<!-- /BUS -->")
    let marker = try #require(found.markers.first)
    #expect(found.cut == 1)
    #expect(marker.text == "a" + String(repeating: "é", count: 1023) + BoardMarkers.cutMark)
    let whole = String(repeating: "x", count: BoardMarkers.maximumTextLength)
    #expect(BoardMarkers(in: "<!-- BUS:intent -->\(whole)<!-- /BUS -->").cut == 0)
  }

  @Test(arguments: [
    "```\n{}\n```", "~~~\n{}\n~~~", "  ```text\n{}\n  ```  ", "````\n```\n{}\n````", "```\n{}",
    "~~~ a`b\n{}\n~~~", "> {}", "   >{}", "`{}`", "see ``{}``", "```\n~~~\n{}\n```",
    "```\r\n{}\r\n```\r\n",
  ])
  func quotedOnesAreNone(_ frame: String) {
    let mark = "<!-- BUS:discovery -->example<!-- /BUS -->"
    let text = frame.split(separator: "{}", omittingEmptySubsequences: false).joined(
      separator: mark)
    let found = BoardMarkers(in: text)
    #expect(found.markers.isEmpty && found.unclosed == 0 && found.quoted >= 1)
  }

  @Test(arguments: [
    "```\ncode\n```\n{}", "``\n{}\n``", "    ```\n{}", "```a`b\n{}", "~~\n{}", "x > {}", "    > {}",
    "> quoted\n{}", "````\n```\n````\n{}", "``` \n``` \n{}",
  ])
  func whatOnlyLooksQuotedCounts(_ frame: String) {
    let mark = "<!-- BUS:discovery -->said<!-- /BUS -->"
    let text = frame.split(separator: "{}", omittingEmptySubsequences: false).joined(
      separator: mark)
    #expect(texts(text) == ["discovery: said"])
  }

  /// A code block in a note is a part of it; one that is not closed hides the note's end.
  @Test func fencesInNotes() {
    #expect(
      texts("<!-- BUS:discovery -->Call\n```\nf()\n```\n<!-- /BUS -->")
        == ["discovery: Call\n```\nf()\n```"])
    let open = BoardMarkers(in: "<!-- BUS:discovery -->Call\n```\nf()\n<!-- /BUS -->")
    #expect(open.markers.isEmpty && open.unclosed == 1 && open.quoted == 1)
  }

  @Test func repeatedOnesCountOnce() {
    let found = BoardMarkers(
      in: """
        <!-- BUS:discovery -->Use the  cursor.<!-- /BUS -->
        <!-- BUS:discovery -->use the cursor<!-- /BUS -->
        <!-- BUS:warning -->use the cursor<!-- /BUS -->
        """)
    #expect(found.markers.map(\.kind) == [.discovery, .warning] && found.repeated == 1)
  }

  @Test func tooManyAreLeftOut() {
    let text = (0..<25).map { "<!-- BUS:discovery -->fact \($0)<!-- /BUS -->" }.joined()
    let found = BoardMarkers(in: text)
    #expect(found.markers.map(\.text) == (0..<10).map { "fact \($0)" } && found.tooMany == 15)
  }

  @Test func whatThePromptSaysIsNotTheAgents() {
    let prompt = "Task.\n\n" + BoardMarkers.instructions
    let echo = BoardMarkers(
      in: prompt + "\n<!-- BUS:warning -->real<!-- /BUS -->", prompt: prompt)
    #expect(echo.markers == [.init(kind: .warning, text: "real")] && echo.echoed == 3)
    // Also when the prompt itself had quoted it.
    let quoted = BoardMarkers(
      in: "<!-- BUS:intent -->X<!-- /BUS -->", prompt: "> <!-- BUS:intent -->x<!-- /BUS -->")
    #expect(quoted.markers.isEmpty && quoted.echoed == 1)
    // Without a prompt nothing is known of it.
    #expect(BoardMarkers(in: prompt).markers.count == 3)
  }

  @Test func afterAFailureOnlyWarnings() throws {
    let found = BoardMarkers(
      in: "<!-- BUS:discovery -->d<!-- /BUS --><!-- BUS:warning -->w<!-- /BUS -->"
        + "<!-- BUS:intent -->i<!-- /BUS -->")
    let passed = found.notes(passed: true)
    #expect(passed.map(\.text) == ["d", "w", "i"] && !passed.contains { $0.isProvisional })
    let failed = found.notes(passed: false)
    #expect(failed.map(\.text) == ["w"] && failed.allSatisfy(\.isProvisional))
  }

  @Test func everyMarkerCanBePosted() {
    for text in Hostile.texts + [String(repeating: "é", count: 5000)] {
      let found = BoardMarkers(in: "<!-- BUS:warning -->\(text)<!-- /BUS -->")
      #expect(found.notes(passed: true).count == found.markers.count)
    }
  }

  @Test func longTextsTakeLinearTime() {
    // Seconds at most; hours if each mark looked through the rest.
    let text = String(repeating: "<!-- BUS:discovery -->\n```\n> <", count: 20_000)
    #expect(BoardMarkers(in: text).markers.isEmpty)
  }
}
