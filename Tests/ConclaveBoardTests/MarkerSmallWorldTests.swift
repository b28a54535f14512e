import BusTesting
import Testing

@testable import ConclaveBoard

/// All short texts over small alphabets, against a reading that is as plain as can be.
@Suite struct MarkerSmallWorldTests {
  private static let discovery = "<!-- BUS:discovery -->"
  private static let warning = "<!-- BUS:warning -->"
  private static let unknown = "<!-- BUS:context -->"
  private static let end = "<!-- /BUS -->"

  @Test(arguments: [
    [discovery, warning, unknown, end, "a", " ", "\n", "`"],
    ["```\n", "~~~\n", "````\n", "``` x\n", "    ```\n", "> ", discovery, end, "\n"],
    ["<!-- BUS:", "discovery", " -->", "<!-- /BUS", "<", discovery, end],
  ])
  func everyShortText(_ alphabet: [String]) {
    var world = Exhaustive()
    while world.next() {
      let length = world.choose(6)
      let text = (0..<length).map { _ in world.choose(of: alphabet) }.joined()
      for honoursQuotes in [true, false] {
        let pieces = BoardMarkers.pieces(of: text, honoursQuotes: honoursQuotes)
        let expected = Plain.pieces(of: text, honoursQuotes: honoursQuotes)
        guard pieces == expected else {
          Issue.record("\(text.debugDescription): \(pieces), not \(expected)")
          return
        }
      }
    }
    #expect(world.count > 10_000)
  }
}

/// Letter by letter, with a flag for each whether it is quoted.
private enum Plain {
  /// The beginning at the start of `letters`: how long it is, and its kind, if that counts.
  static func beginning(_ letters: ArraySlice<Unicode.Scalar>) -> (count: Int, kind: BoardKind?)? {
    let text = String(String.UnicodeScalarView(letters.prefix(60)))
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count > 2, words[0] == "<!--", words[1].hasPrefix("BUS:"), words[2].hasPrefix("-->")
    else { return nil }
    let word = words[1].dropFirst(4)
    guard (1...32).contains(word.count), word.allSatisfy({ ("a"..."z").contains($0) }) else {
      return nil
    }
    let kinds: [Substring: BoardKind] = [
      "discovery": .discovery, "warning": .warning, "intent": .intent,
    ]
    return (13 + word.count, kinds[word])
  }
  static let end = "<!-- /BUS -->"

  static func pieces(of text: String, honoursQuotes: Bool) -> [MarkerPiece] {
    let letters = Array(text.unicodeScalars)
    let quoted = quotedLetters(letters)
    var pieces: [MarkerPiece] = []
    var isOpen = false
    var kind: BoardKind?
    var content = ""
    var index = 0
    func isNext(_ word: String) -> Bool { letters[index...].starts(with: word.unicodeScalars) }
    while index < letters.count {
      let beginning = letters[index] == "<" ? beginning(letters[index...]) : nil
      let isEnd = letters[index] == "<" && isNext(end)
      guard beginning != nil || isEnd else {
        content.unicodeScalars.append(letters[index])
        index += 1
        continue
      }
      let isBehindBacktick = index > 0 && letters[index - 1] == "`"
      let mark = letters[index..<index + (beginning?.count ?? 13)]
      index = mark.endIndex
      if honoursQuotes, quoted[index - 1] || isBehindBacktick {
        pieces.append(.quoted)
        content.unicodeScalars.append(contentsOf: mark)
      } else if let beginning {
        if isOpen { pieces.append(.unclosed) }
        isOpen = true
        kind = beginning.kind
        content = ""
      } else if isOpen {
        pieces.append(kind.map { .note($0, content) } ?? .unknown)
        isOpen = false
      } else {
        pieces.append(.unopened)
      }
    }
    return isOpen ? pieces + [.unclosed] : pieces
  }

  /// A line at a time.
  private static func quotedLetters(_ letters: [Unicode.Scalar]) -> [Bool] {
    var quoted: [Bool] = []
    var fence = ""
    for line in letters.split(separator: "\n", omittingEmptySubsequences: false) {
      let indent = line.prefix { $0 == " " }.count
      let text = String(String.UnicodeScalarView(line.dropFirst(indent)))
      let fenceHere = String(text.prefix { $0 == text.first && ($0 == "`" || $0 == "~") })
      let rest = text.dropFirst(fenceHere.count)
      var isQuoted = !fence.isEmpty
      if isQuoted {
        let isEnd =
          indent <= 3 && fenceHere.hasPrefix(fence) && rest.allSatisfy { $0 == " " }
        if isEnd { fence = "" }
      } else if indent <= 3, fenceHere.count >= 3, text.first == "~" || !rest.contains("`") {
        fence = fenceHere
        isQuoted = true
      } else {
        isQuoted = indent <= 3 && text.first == ">"
      }
      quoted += Array(repeating: isQuoted, count: line.count + 1)
    }
    return quoted
  }
}
