/// The notes in what an agent was given.
struct GivenNotes {
  /// One line a note, and what is said of those that are left out.
  var shown = BoardModel.Expectation()
  /// Of others who had the error that this task has now.
  var fixes: [String] = []
  /// How often the frame begins and ends.
  var frames = 0

  init(in prompt: String) {
    var isInFrame = false
    var isInFixes = false
    for line in prompt.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      switch line {
      case "## Notes from other tasks":
        frames += 1
        isInFrame = true
      case "End of the notes from other tasks.":
        frames += 1
        isInFrame = false
      case _ where line.hasPrefix("Notes on the error that this task has now"): isInFixes = true
      case _ where isInFrame && line.hasPrefix("- "): shown.lines.append(line)
      case _ where isInFrame && line.hasPrefix("Not shown: "):
        shown.rest = line.split(separator: " See: ").first.map(String.init)
      case _ where isInFixes && line.hasPrefix("- "): fixes.append(line)
      default: isInFixes = false
      }
    }
  }

  /// A line, taken apart as far as it takes to find its note in the log.
  struct Line: Hashable {
    let sender: Substring
    let age: Substring
    /// The beginning of the text.
    let text: Substring

    init?(_ line: String) {
      guard let match = line.firstMatch(of: /^- [a-z]+ by (\S+), ([a-z0-9 ]+)[^"]*: "([^"]*)"/)
      else { return nil }
      (sender, age, text) = (match.1, match.2.drop { $0 == " " }, match.3)
    }

    /// When it may have been shown, seen from when it was said.
    func window(saidAt time: UInt64) -> ClosedRange<UInt64> {
      let words = age.split(separator: " ")
      let second: UInt64 = 1_000_000_000
      guard let number = UInt64(words[0]) else { return 0...time &+ second - 1 }
      let unit = words[1] == "min" ? 60 * second : second
      return time + number * unit...time + (number + 1) * unit - 1
    }
  }
}
