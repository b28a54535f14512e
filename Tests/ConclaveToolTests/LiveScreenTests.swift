import BusTesting
import Foundation
import Testing

@testable import ConclaveTool

/// What is written to draw lines over and over.
@Suite struct LiveScreenTests {
  private func widths(_ lines: [String]) -> [Int] { lines.map { DisplayWidth.columns(of: $0) } }

  /// As a terminal gets it.
  private func frame(
    over old: [String], above: String, _ lines: [String], columns: Int
  ) -> [UInt8] {
    let text = LiveScreen.frame(over: widths(old), above: above, lines, columns: columns)
    return Array(text.replacing("\n", with: "\r\n").utf8)
  }

  @Test func linesAreReplaced() {
    var terminal = TinyTerminal(columns: 20, rows: 10)
    var old: [String] = []
    for (above, lines) in [
      ("", ["one", "two"]), ("said\n", ["one", "two"]), ("", ["longer line", "b", "c"]),
      ("more\n", []), ("", ["x"]),
    ] {
      terminal.feed(frame(over: old, above: above, lines, columns: 20))
      old = lines
    }
    #expect(terminal.text == ["said", "more", "x"] && terminal.isAtFreshLine)
  }

  /// However the terminal is resized between any two of a few frames, nothing of the old lines
  /// stays, and nothing of what was said is lost.
  @Test func everyResize() {
    var world = Exhaustive()
    while world.next() {
      var terminal = TinyTerminal(columns: 12, rows: 10)
      var said = 0
      var old: [String] = []
      for _ in 0..<3 {
        terminal.resize(columns: world.choose(of: [3, 5, 12]), rows: 40)
        let width = terminal.columns - 1
        let above = world.choose(2) == 1 ? "s\n" : ""
        said += above.isEmpty ? 0 : 1
        let lines = (0..<world.choose(3)).map { _ in String(repeating: "b", count: width) }
        terminal.feed(frame(over: old, above: above, lines, columns: terminal.columns))
        old = lines
        #expect(terminal.text == Array(repeating: "s", count: said) + lines)
        #expect(terminal.isAtFreshLine && terminal.unknown == [])
      }
    }
    #expect(world.count == 18 * 18 * 18)
  }
}
