import BusTesting
import ConclaveBus
import Testing

@testable import ConclaveBoard

@Suite struct BoardSelectionTests {
  private func select(
    _ items: [BoardItem], for task: String? = nil, seen: Set<MessageID> = [],
    limits: BoardLimits = BoardLimits()
  ) -> BoardSelection {
    BoardSelection(of: items, for: task, seen: seen, limits: limits, now: World.now)
  }

  private func texts(_ selection: BoardSelection) -> [String] { selection.notes.map(\.item.text) }

  @Test func theNewestOthersAndAllWarnings() {
    let items = (0..<60).map { World.item($0, $0 % 2 == 0 ? .warning : .discovery) }
    let selection = select(items)
    let warnings = stride(from: 58, through: 0, by: -2).map { "warning \($0)" }
    let others = stride(from: 59, through: 21, by: -2).map { "discovery \($0)" }
    #expect(texts(selection) == warnings + others)
    #expect(selection.omissions.beyondCount == 10)
  }

  /// Time stamps are claims: what was said last is the newest.
  @Test func theOrderOfTheBoardCounts() {
    let items = [9, 3, 7].map { World.item($0) }
    #expect(texts(select(items)) == ["discovery 7", "discovery 3", "discovery 9"])
    #expect(texts(select(items, limits: BoardLimits(count: 1))) == ["discovery 7"])
  }

  @Test func ownNotesAreLeftOut() {
    let items = [
      World.item(1, by: "task-1"), World.item(2, by: "task-2"),
      World.item(3, .warning, by: "task-1"),
    ]
    let selection = select(items, for: "task-1")
    #expect(texts(selection) == ["discovery 2"] && selection.omissions.own == 2)
    #expect(select(items).notes.count == 3)
  }

  @Test func seenNotesAreLeftOut() {
    let items = (1...4).map { World.item($0, $0 > 2 ? .warning : .discovery) }
    let first = select(items)
    #expect(first.notes.count == 4)
    let again = select(items + [World.item(5)], seen: Set(first.ids))
    #expect(texts(again) == ["discovery 5"] && again.omissions.seen == 4)
  }

  /// Also when somebody says them again; but a warning is news for who was told a discovery.
  @Test func seenTextsAreLeftOut() {
    let said = World.item(1, .discovery, "Same")
    let seen: Set = [said.id]
    #expect(select([said, World.item(2, .discovery, "same.", by: "x")], seen: seen).notes.isEmpty)
    let raised = select([said, World.item(2, .warning, "same", by: "x")], seen: seen)
    #expect(raised.notes.map(\.item.kind) == [.warning])
    let lowered = select(
      [World.item(1, .warning, "Same"), World.item(2, .discovery, "same")], seen: seen)
    #expect(lowered.notes.isEmpty)
  }

  @Test func expiredIntentsAreLeftOut() {
    let items = [
      World.item(1, .intent, "over", expires: World.now),
      World.item(2, .intent, "still", expires: World.second(100_001)),
      World.item(3, .intent, "usual"),
    ]
    let selection = select(items)
    #expect(texts(selection) == ["usual", "still"] && selection.omissions.expired == 1)
  }

  /// The last word of a sender about something counts, and takes back what was said before.
  @Test func notesAreReplacedAndWithdrawn() {
    let items = [
      World.item(1, .warning, "one", by: "radar", about: "x"),
      World.item(2, .warning, "one", by: "radar", about: "y"),
      World.item(3, .intent, "another's", by: "task-1", about: "x"),
      World.item(4, .warning, "two", by: "radar", about: "x"),
      World.item(5, .warning, "mine", by: "radar", about: "x", to: "task-9"),
    ]
    let selection = select(items, for: "task-9")
    #expect(texts(selection) == ["mine", "two", "one", "another's"])
    #expect(selection.omissions.replaced == 1)
    let withdrawn = World.item(6, .warning, "two", by: "radar", expires: World.now, about: "x")
    let rest = select(items + [withdrawn], for: "task-9")
    #expect(texts(rest) == ["mine", "one", "another's"])
    #expect(rest.omissions.replaced == 2 && rest.omissions.expired == 1)
  }

  @Test func notesForOthersAreLeftOut() {
    let items = [
      World.item(1, .warning, "same", by: "radar", to: "task-1"),
      World.item(2, .warning, "same", by: "radar", to: "task-2"), World.item(3, .discovery, "all"),
    ]
    let selection = select(items, for: "task-1")
    #expect(selection.notes.map(\.ids) == [[World.id(1)], [World.id(3)]])
    #expect(selection.omissions.forOthers == 1)
    // Who looks from outside sees all, and for whom each is.
    let text = BoardRendering.text(select(items))
    #expect(text.contains(#"(to task-1): "same""#) && text.contains(#"(to task-2): "same""#))
  }

  @Test func theSameTextIsOne() throws {
    let items = [
      World.item(1, .discovery, "Use the cursor", by: "a"),
      World.item(2, .warning, "use the  cursor.", by: "b"),
      World.item(3, .discovery, "USE THE CURSOR", by: "a"),
      World.item(4, .discovery, "else", by: "c"),
    ]
    let selection = select(items)
    let note = try #require(selection.notes.first)
    #expect(selection.notes.count == 2 && selection.omissions.repeated == 2)
    #expect(note.item == items[1] && note.alsoSaidBy == ["a"])
    #expect(note.ids == [1, 2, 3].map(World.id))
  }

  @Test func theCertainStandsForTheProvisional() throws {
    let certain = World.item(1, .warning, "w", by: "a")
    let doubtful = World.item(2, .warning, "w", by: "b", isProvisional: true)
    #expect(select([certain, doubtful]).notes.map(\.item) == [certain])
    #expect(select([doubtful]).notes.map(\.item) == [doubtful])
  }

  /// That two want to change the same file is what an intent is for.
  @Test func intentsOfDifferentSendersStayApart() {
    let items = [
      World.item(1, .intent, "Modifying a.swift", by: "a"),
      World.item(2, .intent, "Modifying a.swift", by: "b"),
      World.item(3, .intent, "modifying a.swift.", by: "b"),
    ]
    #expect(select(items).notes.map(\.item) == [items[2], items[0]])
    #expect(select(items, for: "a").notes.map(\.item) == [items[2]])
  }

  // MARK: The budget

  private let long = String(repeating: "word ", count: 90)

  @Test func theOldestHaveNoRoom() {
    let items =
      (0..<50).map { World.item($0, .warning, "w\($0) \(long)") }
      + (50..<60).map { World.item($0, .discovery, "d\($0) \(long)") }
    let selection = select(items)
    let shown = selection.notes.count
    #expect((15..<30).contains(shown))
    #expect(selection.notes.map(\.item) == items[..<50].reversed().prefix(shown).map { $0 })
    #expect(selection.omissions.warningsBeyondTokens == 50 - shown)
    #expect(selection.omissions.othersBeyondTokens == 10)
    let text = BoardRendering.text(selection)
    #expect(
      text.contains(
        "Not shown: \(50 - shown) older warnings (no room), 10 older notes (no room). See: "))
  }

  @Test func oneThatIsOmittedIsNamedInTheSingular() {
    let selection = select((0..<21).map { World.item($0) })
    #expect(
      BoardRendering.text(selection).contains("Not shown: 1 older note (too many). See: "))
  }

  @Test func whatTheBusLostIsNamed() throws {
    let selection = BoardSelection(of: [], now: World.now, lost: 3)
    let line = "\nNot shown: 3 messages (lost). See: conclave board read --all"
    #expect(BoardRendering.text(selection).contains("\(line)\n"))
    let (usual, wave) = try (Topic("board"), Board.topic(ofWave: 2))
    #expect(BoardRendering.text(selection, board: usual).contains("\(line)\n"))
    #expect(
      BoardRendering.text(selection, board: wave).contains(
        "\(line) --topic parallel.wave-2.board\n"))
  }

  /// Random boards with hostile and long texts, and all kinds of limits: never more than is
  /// allowed, and every item is either shown or counted.
  @Test func theBudgetIsKept() throws {
    var random = SplitMix64(seed: 7)
    let longest = try Topic(String(repeating: "t", count: 200))
    for _ in 0..<300 {
      let items = (0..<random.below(80)).map { number in
        let text =
          random.pick(Hostile.texts) + " \(random.below(30)) "
          + String(repeating: random.pick(["x", "日", "\"", "😀"]), count: random.below(600))
        return World.item(
          number, random.pick(BoardKind.allCases), text,
          by: random.pick(["a", "b c", "\u{202E}d", "me"]))
      }
      let limits = BoardLimits(
        count: random.below(30), tokens: random.below(3000), textLength: random.below(600))
      let seen = Set((0..<random.below(10)).map { _ in World.id(random.below(80)) })
      let selection = select(items, for: "me", seen: seen, limits: limits)
      let text = BoardRendering.text(selection, board: longest)
      #expect(BoardLimits.tokens(in: text) <= max(limits.tokens, BoardLimits.leastTokens))
      let left = selection.omissions
      let shown = selection.ids.count
      let groups = left.beyondCount + left.warningsBeyondTokens + left.othersBeyondTokens
      #expect(shown + left.own + left.seen + left.expired + groups <= items.count)
      #expect(groups > 0 || shown + left.own + left.seen + left.expired == items.count)
      #expect(selection.notes.count { $0.item.kind != .warning } <= limits.count)
    }
  }

  @Test func limitsThatAreNone() {
    let items = [World.item(1, .warning), World.item(2)]
    let none = select(items, limits: BoardLimits(count: -1, tokens: -1, textLength: -1))
    #expect(none.notes.map(\.item.kind) == [.warning])
    #expect(BoardRendering.text(none).contains(#": "" [cut: 9 bytes]"#))
    #expect(BoardRendering.frameTokens < BoardLimits.leastTokens)
  }

  @Test func anEmptyBoardIsAnEmptyText() {
    #expect(BoardRendering.text(select([])).isEmpty)
    #expect(BoardRendering.text(select([World.item(1, by: "me")], for: "me")).isEmpty)
  }
}
