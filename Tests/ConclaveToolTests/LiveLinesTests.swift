import Testing

@testable import ConclaveRunner
@testable import ConclaveTool

/// What the live view of a run shows, as a function of what has happened.
@Suite struct LiveLinesTests {
  private func lines(
    _ state: LiveState, columns: Int = 60, rows: Int = 24, at seconds: Int = 75,
    hasColor: Bool = false
  ) -> [String] {
    LiveLines(columns: columns, rows: rows, hasColor: hasColor)
      .lines(of: state, at: .seconds(seconds))
  }

  /// A run of some tasks, of which the first two are worked on since 10 s.
  private func run(_ count: Int, title: String = "A thing") -> LiveState {
    let tasks = (1...count).map { PlanTask(id: $0, title: title, text: "") }
    var state = LiveState()
    let ids = tasks.map(\.id)
    state.take(
      .began(run: "r", branch: "feature", tasks: tasks, waves: [ids, []], resumed: false),
      at: .zero)
    state.take(.waveBegan(0, tasks: ids, board: nil), at: .zero)
    for task in tasks.prefix(2) {
      state.take(.taskStarted(place(task), attempt: 1, resumed: false), at: .seconds(10))
    }
    return state
  }

  private func place(_ task: PlanTask) -> TaskPlace {
    TaskPlace(task, base: "", worktrees: "/w", logs: "/l")
  }

  @Test func aWave() {
    var state = run(4)
    state.take(.taskGate(1, iteration: 2, of: 5, gate: "implement"), at: .seconds(20))
    state.take(.finding(sender: "task-1", kind: "warning", text: "mind the step"), at: .zero)
    state.take(.taskEnded(2, .passed, words: "passed"), at: .seconds(71))
    state.take(.skipped(3, reason: "task 9 was skipped"), at: .seconds(72))
    #expect(
      lines(state) == [
        "wave 0 (2 in all), 0 of 4 merged, 1 lost, 1m 15s",
        " 1  implement 2/5    1m 5s    warning: mind the step",
        " 2  passed           1m 1s    A thing",
        " 3  skipped                   task 9 was skipped",
        " 4  waiting                   A thing",
      ])
    state.take(.merged(2, commit: "0123456789abcdef"), at: .seconds(80))
    state.take(
      .conflict(1, .files(["a", "b"]), willRetry: true), at: .seconds(81))
    state.take(.gateBegan(wave: 0), at: .seconds(82))
    let later = lines(state, columns: 80, at: 4000)
    #expect(later[0] == "wave 0 (2 in all), tests of the merged work, 1 of 4 merged, 1 lost, 1h 6m")
    #expect(later[1] == " 1  again            1m 11s   conflicts in a, b")
    #expect(later[2] == " 2  merged           1m 1s    as 0123456789ab")
    state.take(.waveEnded(0), at: .seconds(90))
    #expect(lines(state) == [])
  }

  /// Without waves all tasks of the plan have a line, and the head says how many are at work.
  @Test func noWaves() {
    let tasks = (1...3).map { PlanTask(id: $0, title: "A thing", text: "") }
    var state = LiveState()
    state.take(
      .began(run: "r", branch: "feature", tasks: tasks, waves: [], resumed: false), at: .zero)
    state.take(.waveBegan(nil, tasks: [1, 2, 3], board: nil), at: .zero)
    for task in tasks.prefix(2) {
      state.take(.taskStarted(place(task), attempt: 1, resumed: false), at: .seconds(10))
    }
    state.take(.taskEnded(2, .passed, words: "passed"), at: .seconds(71))
    state.take(.merged(2, commit: "0123456789abcdef"), at: .seconds(72))
    #expect(
      lines(state) == [
        "1 at work, 1 of 3 merged, 1m 15s",
        " 1  working          1m 5s    A thing",
        " 2  merged           1m 1s    as 0123456789ab",
        " 3  waiting                   A thing",
      ])
    for event in [FleetEvent.waveEnded(nil), .gateBegan(wave: nil)] {
      #expect(FleetReport.text(event)?.contains("wave") != true)
    }
  }

  /// Every width and height: no line is too wide, and there is no line too many.
  @Test func everyTerminal() {
    let texts = [
      "plain words that go on and on", "日本語のとても長い題名です、本当に", "👩‍👩‍👧‍👦👍🏽❤️ e\u{301}e\u{301}\u{301}\u{200D}x",
      "\u{1B}[2Jclear\u{1B}]0;title\u{07}\r\n\u{9B}31m\u{202E}txet", "",
    ]
    for text in texts {
      var state = run(12, title: text)
      state.take(.finding(sender: "task-1", kind: "warning", text: text), at: .zero)
      state.take(.taskGate(2, iteration: 1, of: 5, gate: text), at: .zero)
      for columns in 0...80 {
        for rows in [0, 1, 2, 3, 5, 14, 20] {
          let shown = lines(state, columns: columns, rows: rows)
          #expect(shown.count <= max(0, rows - 1))
          #expect(shown.allSatisfy { DisplayWidth.columns(of: $0) < columns })
          #expect(shown.allSatisfy(isHarmless))
        }
      }
    }
  }

  private func isHarmless(_ line: String) -> Bool {
    line.unicodeScalars.allSatisfy { scalar in
      ![.control, .format].contains(scalar.properties.generalCategory)
    }
  }

  @Test func whoWorksIsShownFirst() {
    var state = run(9)
    for task in 3...9 { state.take(.merged(task, commit: "c"), at: .zero) }
    state.take(.taskEnded(2, .failed, words: "x"), at: .seconds(20))
    let shown = lines(state, columns: 80, rows: 4)
    #expect(shown.map { $0.prefix(3) } == ["wav", " 1 ", " 2 "])
    #expect(shown[0].hasSuffix("7 tasks not shown"))
  }

  @Test func colours() {
    var state = run(2)
    state.take(.taskEnded(2, .failed, words: "x"), at: .seconds(20))
    let plain = lines(state)
    let colored = lines(state, hasColor: true)
    #expect(colored[1] == plain[1] && colored[2] == "\u{1B}[31m\(plain[2])\u{1B}[0m")
  }

  @Test func aTaskThatIsDoneAgainBeginsAnew() {
    var state = run(1)
    state.take(.taskGate(1, iteration: 3, of: 5, gate: "tests"), at: .seconds(20))
    state.take(.taskEnded(1, .passed, words: ""), at: .seconds(30))
    state.take(.conflict(1, .tests(""), willRetry: true), at: .seconds(31))
    state.take(
      .taskStarted(place(PlanTask(id: 1, title: "A thing", text: "")), attempt: 2, resumed: false),
      at: .seconds(70))
    #expect(lines(state)[1] == " 1  working          5s       A thing")
    // What is of no task of this wave changes nothing.
    let before = state
    state.take(.taskGate(7, iteration: 1, of: 5, gate: "x"), at: .zero)
    state.take(.finding(sender: "radar", kind: "warning", text: "x"), at: .zero)
    state.take(.note("x"), at: .zero)
    #expect(state == before)
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("👍", 2), ("ｱ", 1), ("Ａ", 2), ("ü", 1),
    ("\u{200B}\u{202E}", 0), ("한국", 4), ("…", 1),
  ])
  func widths(_ text: String, _ columns: Int) {
    #expect(DisplayWidth.columns(of: text) == columns)
    #expect(DisplayWidth.cut(text, to: columns) == text)
    let cut = DisplayWidth.cut(text + "xyz", to: columns + 1)
    #expect(cut.hasSuffix("…") && DisplayWidth.columns(of: cut) <= columns + 1)
    #expect(DisplayWidth.columns(of: DisplayWidth.padded(text, to: 7)) == 7)
  }
}
