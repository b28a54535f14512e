import Testing

/// Holds what the agents of a fleet were given against the rules and the log of the board.
///
/// How much of the board a task had read when an iteration began, only the task knows; but not less
/// than was there before the last agent ended, and not more than was said before the next began.
/// Within these bounds exactly one beginning of the log, up to what makes no difference, has to
/// explain what the agent was given.
struct BoardJudge {
  let fleet: BoardFleet
  let log: [BoardModel.Note]
  private let history: [String: Int]
  /// Of each sender, what was said when: the iteration and the place on the board, rising.
  private var said: [String: [(iteration: Int, place: Int)]] = [:]
  /// Where a text of a sender is in the log. No sender says the same twice.
  private var places: [Substring: [Substring: Int]] = [:]

  init(_ fleet: BoardFleet) throws {
    self.fleet = fleet
    log = try fleet.log().map(BoardModel.Note.init)
    history = try fleet.history()
    var iterations: [String: [BoardFleet.Post: Int]] = [:]
    for task in fleet.tasks {
      for (iteration, post) in BoardFleet.plan(of: task) {
        iterations[BoardFleet.name(task), default: [:]][post] = iteration
      }
    }
    for (place, note) in log.enumerated() {
      let text = note.shown.split(separator: "\"")[0]
      places[Substring(note.logged.sender), default: [:]][text] = place
      let post = BoardFleet.Post(kind: note.logged.kind, text: note.logged.text)
      // What is not planned is what a loop says of itself when it has passed.
      let iteration = iterations[note.logged.sender]?[post] ?? BoardFleet.iterations
      said[note.logged.sender, default: []].append((iteration, place))
    }
  }

  // MARK: The log

  /// All that was to be said, once, in order; and nothing else.
  func judgeLog() throws {
    for task in fleet.tasks {
      let own = log.filter { $0.logged.sender == BoardFleet.name(task) }.map(\.logged)
      let posts = own.dropLast().map { BoardFleet.Post(kind: $0.kind, text: $0.text) }
      let isAsPlanned = posts == BoardFleet.plan(of: task).map(\.post)
      #expect(isAsPlanned, "\(BoardFleet.name(task)) has said \(posts.count) things")
      #expect(own.last?.text.contains("] fixed: error: part") == true)
    }
    let lines = try fleet.fileLines()
    let isSame = lines.map(\.id) == log.map(\.logged.id)
    #expect(isSame, "the file and the command disagree")
    #expect(Set(lines.map(\.id)).count == lines.count)
    for (sender, own) in Dictionary(grouping: lines, by: \.sender) where sender != "planner" {
      let isWithoutGap = own.map(\.seq) == Array(1...own.count)
      #expect(isWithoutGap, "\(sender)")
    }
  }

  // MARK: What was given

  /// - Returns: which rules have had something to do.
  func judgeContexts() throws -> Set<String> {
    var rules: Set<String> = []
    for task in fleet.tasks {
      var least = 0
      for iteration in 1...BoardFleet.iterations {
        let given = GivenNotes(in: try fleet.given(task, iteration))
        let bounds = bounds(task, iteration, atLeast: least)
        guard let read = explanation(of: given, task, iteration, in: bounds) else { break }
        least = read
        let words = given.shown.lines.joined() + (given.shown.rest ?? "")
        rules.formUnion(BoardJudge.signs.filter { words.contains($0) })
        if !given.fixes.isEmpty { rules.insert(BoardJudge.fixesRule) }
      }
    }
    return rules
  }

  /// What shows that a rule had something to do.
  private static let signs = [
    "(also ", " [cut: ", "over soon", "older warnings (no room)", "older notes (no room)",
    "older notes (too many)",
  ]
  private static let fixesRule = "fixes"
  static let rules = Set(signs + [fixesRule])

  /// How much of the log a task may have read, by the order in which agents began and ended.
  private func bounds(_ task: Int, _ iteration: Int, atLeast least: Int) -> ClosedRange<Int> {
    let name = BoardFleet.name(task)
    let ended = history["end \(name) \(iteration - 1)"] ?? -1
    let began = history["begin \(name) \(iteration)"] ?? .max
    var lower = least
    var upper = log.count
    for (sender, posts) in said where sender != "planner" {
      for post in posts {
        // Its loop had posted it before it began again.
        let isThere =
          sender == name
          ? post.iteration < iteration
          : (history["begin \(sender) \(post.iteration + 1)"] ?? .max) < ended
        if isThere { lower = max(lower, post.place + 1) }
        // It was posted after its agent had ended.
        let isLater = (history["end \(sender) \(post.iteration)"] ?? .max) > began
        if isLater { upper = min(upper, post.place) }
      }
    }
    // The planner had spoken before all began.
    lower = max(lower, (said["planner"]?.last?.place ?? -1) + 1)
    guard lower <= upper else {
      Issue.record("\(name) in \(iteration): at least \(lower), at most \(upper)")
      return lower...lower
    }
    return lower...upper
  }

  /// - Returns: how much of the log explains it.
  private func explanation(
    of given: GivenNotes, _ task: Int, _ iteration: Int, in bounds: ClosedRange<Int>
  ) -> Int? {
    let name = BoardFleet.name(task)
    #expect(given.frames == (given.shown.lines.isEmpty && given.shown.rest == nil ? 0 : 2))
    guard let (newest, window) = evidence(given, name) else { return nil }
    var tried: BoardModel.Expectation?
    for count in max(bounds.lowerBound, newest + 1)...max(bounds.upperBound, newest + 1) {
      for now in moments(window, log[..<count]) {
        let expected = BoardModel.expectation(log[..<count], for: name, at: now)
        tried = tried ?? expected
        guard expected == given.shown, fixes(log[..<count], name, iteration, now) == given.fixes
        else { continue }
        #expect(count <= bounds.upperBound, "\(name) in \(iteration) was told what came later")
        return count
      }
    }
    let missing = (tried?.lines ?? []).filter { !given.shown.lines.contains($0) }
    let surplus = given.shown.lines.filter { tried?.lines.contains($0) != true }
    Issue.record(
      """
      nothing explains what \(name) was given in iteration \(iteration), with \(bounds) of the \
      board; missing from the nearest: \(missing), not in it: \(surplus), \
      \(given.shown.rest ?? "-") for \(tried?.rest ?? "-"), fixes \(given.fixes)
      """)
    return nil
  }

  /// From the notes themselves: the place of the newest, and when they were shown.
  private func evidence(_ given: GivenNotes, _ name: String) -> (Int, ClosedRange<UInt64>)? {
    var newest = -1
    var window = UInt64(0)...UInt64.max
    for text in given.shown.lines + given.fixes {
      guard let line = GivenNotes.Line(text), let place = places[line.sender]?[line.text] else {
        Issue.record("\(name) was given what nobody has said: \(text)")
        return nil
      }
      newest = max(newest, place)
      let shown = line.window(saidAt: log[place].time)
      guard window.overlaps(shown) else {
        Issue.record("\(name) was given ages that do not fit together: \(text)")
        return nil
      }
      window = window.clamped(to: shown)
    }
    return (newest, window)
  }

  /// The moments of the window at which something changes: an intent ends, an age is a word longer.
  private func moments(
    _ window: ClosedRange<UInt64>, _ board: ArraySlice<BoardModel.Note>
  ) -> [UInt64] {
    let ends = board.compactMap(\.expires).filter { window.contains($0) }
    return Set([window.lowerBound, window.upperBound] + ends + ends.map { $0 - 1 })
      .filter { window.contains($0) }.sorted()
  }

  /// What others have said of the error that the task had in the iteration before. All errors of
  /// one iteration are the same; which fingerprint they have, a loop says when it has passed.
  private func fixes(
    _ board: ArraySlice<BoardModel.Note>, _ name: String, _ iteration: Int, _ now: UInt64
  ) -> [String] {
    let own = said[name]?.last.map { log[$0.place].logged.text } ?? ""
    let tags = own.matches(of: /\[error [0-9a-f]{16}\]/).map { String($0.output) }
    guard iteration > 1, tags.count >= iteration - 1 else { return [] }
    return board.filter { note in
      note.logged.sender != name && note.logged.text.contains(tags[iteration - 2])
    }.suffix(3).map { $0.line(whole: true, at: now) }
  }
}
