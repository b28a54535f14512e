import ConclaveBus
import Testing

@testable import ConclaveBoard

/// Payloads are what others wrote: read, skipped, never trusted.
@Suite struct BoardItemTests {
  @Test(arguments: BoardKind.allCases)
  func typesOfKinds(_ kind: BoardKind) throws {
    #expect(kind.type == "board.\(kind.rawValue)" && BoardKind(type: kind.type) == kind)
    let item = try #require(BoardItem(World.envelope(#"{"text":"t"}"#, type: kind.type)))
    #expect(item.kind == kind && item.text == "t" && item.sender == "peer")
    #expect(item.id == World.id(1) && item.time == World.second(99_001) && item.carriedBy == nil)
  }

  @Test(arguments: [
    "null", "1", "\"text\"", "[]", "[{\"text\":\"x\"}]", "{}", #"{"text":1}"#, #"{"text":null}"#,
    #"{"text":{"text":"x"}}"#, #"{"text":["x"]}"#, #"{"Text":"x"}"#, #"{"text":""}"#,
    #"{"text":" \n"}"#,
    #"{"text":"\u200b"}"#, #"{"text":"\u001b[0m"}"#, #"{"text":"a","text":"b"}"#,
    #"{"a":{"text":"x"}}"#,
  ])
  func whatIsNoNote(_ payload: String) throws {
    #expect(try BoardItem(World.envelope(payload)) == nil)
  }

  @Test(arguments: [
    "board", "board.", "board.zzz", "discovery", "Board.discovery", "board.discovery.x",
  ])
  func whatIsNoType(_ type: String) throws {
    #expect(try BoardItem(World.envelope(#"{"text":"x"}"#, type: type)) == nil)
  }

  @Test(arguments: [
    (#"{ "te\u0078t" : " \ud83d\ude00\n" , "more":[1,{"text":2}] }"#, "😀"),
    (#"{"text":"\ud800x"}"#, "\u{FFFD}x"), (#"{"a":{},"text":"x","b":null}"#, "x"),
  ])
  func anyWayOfWritingIt(_ payload: String, _ text: String) throws {
    #expect(try BoardItem(World.envelope(payload))?.text == text)
  }

  @Test func longTextsAreCut() throws {
    let text = String(repeating: "x", count: 100_000)
    let item = try #require(BoardItem(World.envelope("{\"text\":\"\(text)\"}")))
    #expect(item.text.utf8.count == BoardNote.maximumTextLength)
  }

  @Test func notesBecomeItems() throws {
    let end = World.second(99_500)
    let notes = try [
      BoardNote(.intent, " Modifying \"a\\b\"\n", scope: BoardScope(expires: end)),
      BoardNote(.warning, "w", isProvisional: true),
      BoardNote(.discovery, "d", scope: BoardScope(expires: end)), BoardNote(.context, "c\u{1}"),
    ]
    let items = try World.posted(notes, by: "me", from: 5)
    #expect(items.map(\.kind) == [.intent, .warning, .discovery, .context])
    #expect(items.map(\.text) == ["Modifying \"a\\b\"", "w", "d", "c\u{1}"])
    #expect(items.map(\.expires) == [end, nil, end, nil])
    #expect(items.map(\.isProvisional) == [false, true, false, false])
    #expect(try notes[2].payload().description == "{\"text\":\"d\",\"expires\":\"\(end)\"}")
    #expect(try notes[1].payload().description == #"{"text":"w","provisional":true}"#)
  }

  @Test func scopesAreKept() throws {
    let scope = BoardScope(
      expires: World.second(99_500), about: "a \"b\"", recipient: "task-2", isObserved: true)
    let note = try BoardNote(.warning, "w", scope: scope)
    #expect(try World.posted([note], from: 5).map(\.scope) == [scope])
    let plain = BoardScope()
    let long = String(repeating: "x", count: 257)
    for members in [
      #""about":7,"to":[],"source":"hearsay","expires":1"#, #""about":"","to":"","source":true"#,
      "\"about\":\"\(long)\",\"to\":\"\(long)\"",
    ] {
      let item = BoardItem(try World.envelope("{\"text\":\"x\",\(members)}"))
      #expect(item?.scope == plain)
    }
    for scope in [BoardScope(about: ""), BoardScope(recipient: long)] {
      let error = #expect(throws: BusError.self) { try BoardNote(.warning, "w", scope: scope) }
      #expect(error?.code == .invalidPayload)
    }
  }

  @Test func notesThatCannotBe() {
    for text in ["", " \n", "\u{200B}", "\u{1B}[0m"] {
      let error = #expect(throws: BusError.self) { try BoardNote(.discovery, text) }
      #expect(error?.code == .invalidPayload && error?.hint.isEmpty == false)
    }
    let error = #expect(throws: BusError.self) {
      try BoardNote(.discovery, String(repeating: "x", count: 4097))
    }
    #expect(error?.code == .messageTooLarge)
  }

  @Test func intentsExpire() throws {
    func end(_ payload: String, _ type: String = "board.intent") throws -> Timestamp? {
      try World.unwrapped(BoardItem(World.envelope(payload, type: type))).expires
    }
    let usual = World.second(99_001 + 1800)
    #expect(try end(#"{"text":"x"}"#) == usual)
    #expect(try end(#"{"text":"x","expires":"soon"}"#) == usual)
    #expect(try end(#"{"text":"x","expires":7}"#) == usual)
    let said = World.second(99_007)
    #expect(try end("{\"text\":\"x\",\"expires\":\"\(said)\"}") == said)
    #expect(
      try end(#"{"text":"x","expires":"2500-01-01T00:00:00Z"}"#) == World.second(99_001 + 86_400))
    // What is no intent has an end only when its sender says so.
    #expect(try end("{\"text\":\"x\",\"expires\":\"\(said)\"}", "board.warning") == said)
    #expect(try end(#"{"text":"x"}"#, "board.warning") == nil)
    let item = World.item(1, .intent, expires: said)
    #expect(!item.hasExpired(at: World.second(99_006)) && item.hasExpired(at: said))
    #expect(!World.item(1, .warning).hasExpired(at: Timestamp(nanosecondsSinceEpoch: .max)))
    // At the end of time nothing overflows.
    let last = BoardItem(
      id: World.id(1), sender: "s", time: Timestamp(nanosecondsSinceEpoch: .max), kind: .intent,
      text: "x")
    #expect(last.expires == Timestamp(nanosecondsSinceEpoch: .max))
  }

  @Test func carriedOnesKeepTheirOrigin() throws {
    let carried =
      #"{"id":"3-4","sender":"task-1","timestamp":"2026-11-21T09:05:00.5Z","kind":"warning"}"#
    let item = try #require(
      BoardItem(World.envelope("{\"text\":\"x\",\"carried\":\(carried)}", type: "board.context")))
    #expect(item.id == MessageID(process: 3, counter: 4) && item.sender == "task-1")
    #expect(item.time == Timestamp(rfc3339: "2026-11-21T09:05:00.5Z") && item.kind == .warning)
    #expect(item.carriedBy == "peer")
    // Only a context carries.
    let plain = try #require(BoardItem(World.envelope("{\"text\":\"x\",\"carried\":\(carried)}")))
    #expect(plain.sender == "peer" && plain.kind == .discovery && plain.carriedBy == nil)
  }

  @Test(arguments: [
    #"1"#, #"{}"#, #"{"id":"x","sender":"s","timestamp":"2026-11-21T09:05:00Z","kind":"warning"}"#,
    #"{"id":"3-4","sender":"","timestamp":"2026-11-21T09:05:00Z","kind":"warning"}"#,
    #"{"id":"3-4","sender":"s","timestamp":"yesterday","kind":"warning"}"#,
    #"{"id":"3-4","sender":"s","timestamp":"2026-11-21T09:05:00Z","kind":"context"}"#,
    #"{"id":"3-4","sender":"s","timestamp":"2026-11-21T09:05:00Z","kind":"intent"}"#,
    #"{"id":"3-4","sender":"s","timestamp":"2026-11-21T09:05:00Z"}"#,
  ])
  func malformedOriginsAreNone(_ carried: String) throws {
    let item = try #require(
      BoardItem(World.envelope("{\"text\":\"x\",\"carried\":\(carried)}", type: "board.context")))
    #expect(item.kind == .context && item.sender == "peer" && item.carriedBy == nil)
  }
}
