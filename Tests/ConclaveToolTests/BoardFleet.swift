import Foundation
import Testing

/// Many loops, each in its own worktree of one repository, with agents that tell each other things
/// on one board; and the evidence of what each agent was really given.
struct BoardFleet {
  static let topic = "parallel.wave-0.board"
  /// In each of these iterations an agent posts ``postsEach`` notes, its tests pass, and its
  /// reviewer does not agree; in the one behind them it says nothing, and the reviewer agrees.
  static let talkingIterations = 5
  static let postsEach = 4
  static var iterations: Int { talkingIterations + 1 }

  let home: URL
  let tasks: [Int]

  static func name(_ task: Int) -> String { "task-\(task)" }

  struct Post: Hashable {
    let kind: String
    let text: String
  }

  /// What a task posts in an iteration, in this order: facts of its own, some of them too long to
  /// be shown whole; what others say in other words as well; pitfalls; and what it changes.
  static func posts(of task: Int, in iteration: Int) -> [Post] {
    let place = "\(name(task)) in \(iteration)"
    let padding = String(repeating: " and so on", count: (task + iteration) % 7 == 0 ? 60 : 0)
    let shared = "shared fact number \((task * talkingIterations + iteration) % 12) of the project"
    let styles = [shared, shared.uppercased(), shared + "!"]
    let isPitfall = (task + iteration) % 3 == 0
    return [
      Post(kind: "discovery", text: "\(place) has found out a thing\(padding)"),
      Post(kind: task % 4 == 0 ? "warning" : "discovery", text: styles[task % 3]),
      isPitfall
        ? Post(
          kind: "warning",
          text: "\(place) met a pitfall: \(String(repeating: "mind the step, ", count: 6))please")
        : Post(kind: "discovery", text: "\(place) has found out another thing"),
      Post(kind: "intent", text: "changing src/file-\((task + iteration) % 10).swift"),
    ]
  }

  /// All that a task posts; what it posts in which iteration.
  static func plan(of task: Int) -> [(iteration: Int, post: Post)] {
    (1...talkingIterations).flatMap { iteration in
      posts(of: task, in: iteration).map { (iteration, $0) }
    }
  }

  // MARK: Running

  /// - Throws: when a loop does not pass.
  func run() throws {
    try prepare()
    let loops = try tasks.dropLast().map(start)
    for (task, loop) in zip(tasks, loops) { try finish(loop, task) }
    // One comes when the others have passed: without it, loops that keep pace with each other might
    // all end without having been told of any fix.
    for task in tasks.suffix(1) { try finish(start(task), task) }
  }

  private func finish(_ loop: Tool, _ task: Int) throws {
    let outcome = try loop.finish()
    try #require(outcome.exit == 0, "\(BoardFleet.name(task)): \(outcome.errors)")
  }

  private func prepare() throws {
    let worktrees = tasks.map { "git worktree add -q -b task/\($0) ../\(BoardFleet.name($0))" }
      .joined(separator: " && ")
    let made = try Tool.shell(
      """
      git init -q -b main repository && cd repository && git config user.name T \
      && git config user.email t@localhost && echo 0 > work \
      && cp ../test.sh . && git add -A && git commit -qm first \
      && \(worktrees)
      """, in: try filled())
    try #require(made.exit == 0, "\(made.errors)")
    // Said before the loops begin: what is over by then, what is over sooner or later (a busy
    // machine may take minutes), and what stays.
    let said = try Tool.shell(
      """
      for n in 1 2 3; do say intent "over before $n" --ttl 1ms; done
      for n in 2 4 8 16 32 64 128 256 512; do say intent "over soon $n" --ttl ${n}s; done
      say context 'the plan of the wave'; say warning 'a word of warning from the planner'
      """.replacing(
        "say ",
        with: "conclave board post -s planner --bus-dir bus --topic \(BoardFleet.topic) "),
      in: home)
    try #require(said.exit == 0, "\(said.errors)")
  }

  /// The files that agents and tests are, and what each agent is to say.
  private func filled() throws -> URL {
    try write("test.sh", "true")
    // Only what the shell does itself, but for what it says: so that the loops are what is tested.
    try write(
      "agent.sh",
      """
      read n < work
      case $1 in *'# Verdict'*)
        [ "$n" = \(BoardFleet.iterations) ] && echo SPEC_PASS && exit
        echo "error: part $(echo $n | tr 1-9 a-i) is bad"
        exit;;
      esac
      n=$((n + 1))
      echo "begin $TASK $n" >> "$WORLD/history"
      printf '%s' "$1" > "$WORLD/given-$TASK-$n"
      echo $n > work
      while IFS= read -r line; do printf '%s\\n' "$line"; done < "$WORLD/said-$TASK-$n"
      echo "end $TASK $n" >> "$WORLD/history"
      """)
    try write(
      "agent.json", #"{"command":["/bin/sh","\#(home.path)/agent.sh"],"prompt":"argument"}"#)
    for task in tasks {
      for iteration in 1...BoardFleet.iterations {
        try write("said-\(BoardFleet.name(task))-\(iteration)", said(by: task, in: iteration))
      }
    }
    return home
  }

  /// Besides what counts: a mark that is only shown, and what was said already.
  private func said(by task: Int, in iteration: Int) -> String {
    guard iteration <= BoardFleet.talkingIterations else { return "all is done\n" }
    let posts = BoardFleet.posts(of: task, in: iteration)
    let again = BoardFleet.posts(of: task, in: 1)[0]
    let marks = (iteration > 1 ? [again] + posts : posts).map { post in
      "<!-- BUS:\(post.kind) -->\(post.text)<!-- /BUS -->\n"
    }
    return "```\n<!-- BUS:warning -->only an example<!-- /BUS -->\n```\n" + marks.joined()
  }

  private func start(_ task: Int) throws -> Tool {
    let name = BoardFleet.name(task)
    return try Tool(
      [
        "ralph-run", "--task", "x", "--task-id", name, "--agent", "\(home.path)/agent.json",
        "--max-iterations", "\(BoardFleet.iterations)", "--board-dir", "\(home.path)/bus",
        "--board-topic", BoardFleet.topic, "--quiet",
      ],
      in: home.appendingPathComponent(name),
      environment: [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home.path, "WORLD": home.path, "TASK": name,
      ])
  }

  // MARK: Evidence

  /// What the agent was given at the beginning of an iteration.
  func given(_ task: Int, _ iteration: Int) throws -> String {
    try read("given-\(BoardFleet.name(task))-\(iteration)")
  }

  /// When agents began and ended, by their own words: each line was there before any later one.
  func history() throws -> [String: Int] {
    let lines = try read("history").split(separator: "\n")
    return Dictionary(lines.enumerated().map { (String($1), $0) }) { first, _ in first }
  }

  /// The whole board, as the command prints it.
  func log() throws -> [LoggedNote] {
    let outcome = try Tool.run(
      ["board", "read", "--all", "--json", "--bus-dir", "bus", "--topic", BoardFleet.topic],
      in: home)
    try #require(outcome.exit == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return try JSONDecoder().decode(LoggedBoard.self, from: Data(outcome.output.utf8)).items
  }

  /// The board's file, a message a line.
  func fileLines() throws -> [LoggedMessage] {
    try read("bus/\(BoardFleet.topic).jsonl").split(separator: "\n").map { line in
      try JSONDecoder().decode(LoggedMessage.self, from: Data(line.utf8))
    }
  }

  private func read(_ name: String) throws -> String {
    try String(contentsOf: home.appendingPathComponent(name), encoding: .utf8)
  }

  private func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: home.appendingPathComponent(name))
  }
}

private struct LoggedBoard: Decodable { let items: [LoggedNote] }

/// A note as `board read --all --json` prints it.
struct LoggedNote: Decodable, Hashable {
  let id: String
  let sender: String
  let timestamp: String
  let kind: String
  let text: String
  let expires: String?
}

/// A line of a topic's file.
struct LoggedMessage: Decodable {
  let id: String
  let seq: Int
  let sender: String
}
