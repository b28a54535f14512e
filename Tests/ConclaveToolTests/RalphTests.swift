import BusTesting
import Foundation
import Testing

/// The command itself, with scripted agents in real repositories.
@Suite(.blocking) struct RalphTests {
  @Test func aTaskThatPasses() throws {
    try withRepository { world in
      let outcome = try world.run(["--task", "Make it good"], agent: "echo good > work")
      #expect(outcome.exit == 0 && outcome.output.isEmpty)
      #expect(outcome.errors.contains("ralph-run: passed after 1 iteration, commit "))
      #expect(outcome.errors.contains("  tests: passed in "))
      let status = try world.conclave(["ralph", "status"])
      #expect(status.exit == 0 && status.output.contains("status     passed\n"))
    }
  }

  @Test func taskFilesAndJSON() throws {
    try withRepository { world in
      try Data("From a file\n".utf8).write(to: world.home.appendingPathComponent("task.md"))
      let outcome = try world.run(
        ["--task", "../task.md", "--json", "--task-id", "task-7"],
        agent: "grep -q 'From a file' || exit 9; echo good > work")
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      let state = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      #expect(state["task_id"] as? String == "task-7" && state["status"] as? String == "passed")
      #expect(outcome.output.split(separator: "\n").count == 1)
    }
  }

  @Test func aTaskFromStandardInput() throws {
    try withRepository { world in
      let tool = try world.start(
        ["--task", "-"], agent: "grep -q 'Said ü' || exit 9; echo good > work")
      try tool.type("Said ü")
      #expect(try tool.finish().exit == 0)
    }
  }

  /// As on a full disk: nothing can be written.
  @Test func noRoomForTheState() throws {
    try withRepository { world in
      let line =
        "trap '' XFSZ; ulimit -f 0; conclave ralph-run --agent ../sh.json --task x; "
      try Data("{\"command\":[\"/bin/sh\"]}".utf8)
        .write(to: world.home.appendingPathComponent("sh.json"))
      let outcome = try world.shell(line + "echo $?")
      #expect(outcome.output == "8\n" && outcome.errors.split(separator: "\n").count == 1)
      #expect(outcome.errors.contains("make room") || outcome.errors.contains("free some space"))
      #expect(try world.shell("git branch; cat work").output == "* feature\nbegin\n")
      #expect(try world.run(["--task", "x"], agent: "echo good > work").exit == 0)
    }
  }

  @Test func exitCodes() throws {
    try withRepository { world in
      #expect(try world.run(["--task", "x", "--max-iterations", "1"], agent: "true").exit == 1)
      #expect(try world.run(["--task", "x"], agent: "true").exit == 5)
      let blocked = try world.run(["--task", "x", "--fresh"], agent: "echo BLOCKED: no key")
      #expect(blocked.exit == 9)
      #expect(blocked.errors.contains("blocked, a person is needed: no key"))
      let late = try world.run(
        ["--task", "x", "--fresh", "--global-timeout", "500ms"], agent: "sleep 600")
      #expect(late.exit == 4)
    }
  }

  @Test(
    arguments: [
      (SIGINT, 130), (SIGTERM, 143), (SIGHUP, 143),
    ] as [(Int32, Int32)])
  func signalsEndEverything(_ signal: Int32, _ code: Int32) throws {
    try withRepository { world in
      // A daemon without our mark, and deaf, so that only its descent gives it away.
      let tool = try world.start(
        ["--task", "x"],
        agent: """
          trap '' TERM INT
          (setsid env -i /bin/sh -c 'trap "" TERM; echo $$ > daemon; while :; do sleep 1; done' &)
          echo half > work
          while :; do sleep 1; done
          """)
      let daemonFile = world.top.appendingPathComponent("daemon")
      try eventually {
        (try? String(contentsOf: daemonFile, encoding: .utf8))?.hasSuffix("\n") == true
      }
      let text = try String(contentsOf: daemonFile, encoding: .utf8)
      let daemon = try #require(Int32(text.dropLast()))
      tool.send(signal)
      let outcome = try tool.finish()
      #expect(outcome.exit == code, "\(outcome.errors)")
      #expect(outcome.errors.contains("go on with --resume"), "\(outcome.errors)")
      #expect(kill(daemon, 0) == -1)
      #expect(try world.shell("git branch").output == "* feature\n")
      let status = try world.conclave(["ralph", "status", "--json"])
      #expect(status.output.hasPrefix("{\"process\":null,\"state\":{"))
      #expect(status.output.contains("\"status\":\"interrupted\""))
      let resumed = try world.run(["--resume"], agent: "echo good > work; rm -f daemon")
      #expect(resumed.exit == 0 && resumed.errors.contains("goes on with iteration 1 of 5"))
    }
  }

  /// What a loop has when it is interrupted it looks at when it goes on: git may be slow, or hang.
  @Test func isInterruptedThoughGitHangs() throws {
    try withRepository { usual in
      let folder = usual.home.appendingPathComponent("bin")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let git = folder.appendingPathComponent("git")
      let path = usual.environment["PATH"] ?? ""
      try Data(
        """
        #!/bin/sh
        [ -e '\(usual.home.path)/hangs' ] && exec sleep 600
        PATH=\(path) exec git "$@"

        """.utf8
      ).write(to: git)
      unsafe chmod(git.path, 0o700)
      let world = RalphWorld(
        home: usual.home, top: usual.top,
        environment: ["PATH": "\(folder.path):\(path)", "HOME": usual.home.path])
      let tool = try world.start(
        ["--task", "x"], agent: "echo half > work; touch ../hangs; while :; do sleep 1; done")
      try eventually { world.has("hangs") }
      tool.send(SIGINT)
      let outcome = try tool.finish()
      #expect(outcome.exit == 130, "\(outcome.errors)")
      #expect(outcome.errors.contains("go on with --resume"), "\(outcome.errors)")
    }
  }

  @Test func theNextLoopEndsWhatAKilledOneLeft() throws {
    try withRepository { world in
      let tool = try world.start(["--task", "x"], agent: "echo $$ > ../pid; sleep 600; sleep 600")
      let file = world.home.appendingPathComponent("pid")
      try eventually { (try? String(contentsOf: file, encoding: .utf8))?.hasSuffix("\n") == true }
      let pid = try #require(Int32(try String(contentsOf: file, encoding: .utf8).dropLast()))
      tool.send(SIGKILL)
      #expect(try tool.finish().exit == -SIGKILL)
      #expect(kill(pid, 0) == 0)
      #expect(try world.conclave(["ralph", "status"]).output.contains("status     killed"))
      let resumed = try world.run(["--resume"], agent: "echo good > work")
      #expect(resumed.exit == 0 && resumed.errors.contains("that a killed loop had left"))
      // Whoever adopted it may not have asked for its end yet.
      try eventually { kill(pid, 0) == -1 || isZombie(pid) }
    }
  }

  @Test func tasksTellEachOther() throws {
    try withRepository { world in
      let board = ["--board-dir", "../bus", "--board-topic", "parallel.wave-0.board"]
      let said = try world.conclave([
        "board", "post", "warning", "the disk is slow", "--sender", "task-2", "--bus-dir", "../bus",
        "--topic", "parallel.wave-0.board",
      ])
      #expect(said.exit == 0, "\(said.errors)")
      let outcome = try world.run(
        ["--task", "x", "--task-id", "task-1"] + board,
        agent: """
          prompt=$(cat)
          case $prompt in *'the disk is slow'*) ;; *) exit 9;; esac
          printf '%s\\n' "$prompt"
          if [ -e ../second ]; then echo good > work; else touch ../second; echo try > work; fi
          echo '<!-- BUS:discovery -->the API has pages<!-- /BUS -->'
          echo '<!-- BUS:warning -->pages begin at 1<!-- /BUS -->'
          """)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let read = try world.conclave([
        "board", "read", "--all", "--bus-dir", "../bus", "--topic", "parallel.wave-0.board",
      ])
      let own = read.output.split(separator: "\n").filter { $0.contains("task-1") }
      // The warning alone while the tests fail; then each once, however many gates pass; and what
      // became of the error.
      #expect(own.count == 4 && own[0].contains("unconfirmed"), "\(read.output)")
      #expect(own[0].contains("pages begin at 1") && own[1].contains("the API has pages"))
      #expect(own[2].contains("pages begin at 1") && !own[2].contains("unconfirmed"))
      #expect(own.last?.contains("fixed: error: not good") == true)

      // Another task that has the same error is told.
      _ = try world.shell("git switch -q -c other && echo begin > work && git commit -qam again")
      _ = try world.run(
        ["--task", "x", "--task-id", "task-3"] + board,
        agent: """
          n=$(cat ../n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > ../n; cat > ../seen-$n
          [ $n = 2 ] && echo good > work || echo try > work
          """)
      let seen = try String(
        contentsOf: world.home.appendingPathComponent("seen-2"), encoding: .utf8)
      #expect(seen.contains("Notes on the error that this task has now"))
    }
  }

  @Test func aBoardThatCannotBeOpenedStopsNobody() throws {
    try withRepository { world in
      let outcome = try world.run(
        ["--task", "x", "--task-id", "t", "--board-dir", "/proc/nothing"],
        agent: "echo good > work")
      #expect(outcome.exit == 0 && outcome.errors.contains("  board: "))
      let nameless = try world.conclave(["ralph-run", "--task", "x", "--board-topic", "a"])
      #expect(nameless.exit == 2 && nameless.errors.contains("--task-id"))
    }
  }

  @Test func blockedAgentsAskOnTheBus() throws {
    try withRepository { world in
      let outcome = try world.run(
        ["--task", "x", "--task-id", "t", "--board-dir", "../bus"], agent: "echo BLOCKED: no key")
      #expect(outcome.exit == 9)
      let heard = try world.conclave([
        "bus", "subscribe", "help", "--from", "beginning", "--count", "1", "--transport", "mirror",
        "--bus-dir", "../bus",
      ])
      #expect(heard.output.contains("no key") && heard.output.contains("\"type\":\"help\""))
    }
  }

  @Test func stopAndAddContextFromAnotherTerminal() throws {
    try withRepository { world in
      #expect(try world.conclave(["ralph", "status"]).exit == 3)
      #expect(try world.conclave(["ralph", "stop"]).exit == 3)
      #expect(try world.conclave(["ralph", "add-context", "x"]).exit == 3)
      let tool = try world.start(
        ["--task", "x"], agent: "touch ../on; while [ ! -e ../go ]; do sleep 0.01; done")
      try eventually { world.has("on") }
      let status = try world.conclave(["ralph", "status"])
      #expect(status.output.contains("at work, process \(tool.pid)"))
      #expect(status.output.contains("gate implement"))
      #expect(try world.conclave(["ralph", "stop"]).exit == 0)
      #expect(try world.conclave(["ralph", "add-context", "-"], input: "attic").exit == 0)
      try Data().write(to: world.home.appendingPathComponent("go"))
      #expect(try tool.finish().exit == 1)
      let resumed = try world.run(
        ["--resume"], agent: "grep -q attic || exit 9; echo good > work")
      #expect(resumed.exit == 0)
    }
  }

  @Test func besideALoopThatIsAtWork() throws {
    try withRepository { world in
      let script = "echo half > work; touch ../on; while [ ! -e ../go ]; do sleep 0.01; done"
      let tool = try world.start(["--task", "x"], agent: script + "; echo good > work")
      try eventually { world.has("on") }
      for arguments in [["--task", "x"], ["--task", "y", "--fresh"], ["--resume"]] {
        let other = try world.conclave(
          ["ralph-run", "--agent", "../agent.json", "--allow-dirty"] + arguments)
        #expect(other.exit == 5 && other.errors.contains("another loop is at work"))
        #expect(other.errors.contains("(process \(tool.pid))"), "\(other.errors)")
      }
      #expect(try world.conclave(["ralph-run", "--task", "x"]).errors.contains("another loop"))
      try Data().write(to: world.home.appendingPathComponent("go"))
      #expect(try tool.finish().exit == 0)
    }
  }

  @Test func anAgentThatLeavesTheBranch() throws {
    try withRepository { world in
      let outcome = try world.run(["--task", "x"], agent: "git switch -qc own; echo good > work")
      #expect(outcome.exit == 1 && outcome.errors.contains("the agent has left the branch feature"))
      #expect(outcome.errors.contains("git switch feature"), "\(outcome.errors)")
      #expect(try world.run(["--resume"], agent: "true").exit == 5)
      #expect(try world.shell("git switch -q feature").exit == 0)
      #expect(try world.run(["--resume"], agent: "echo ALREADY_DONE").exit == 0)
    }
  }

  @Test(arguments: [
    (["--resume", "--fresh"], 2, "--resume and --fresh exclude each other"),
    ([], 2, "option --task is missing"), (["--task", "x", "--max-iterations", "0"], 2, "is \"0\""),
    (["--task", "x", "--max-cost", "free"], 2, "is \"free\""),
    (["--task", "x", "--task-id", "a b"], 2, "is \"a b\""),
    (["--task", "x", "--test-timeout", "0"], 2, "must be more than 0"),
    (["--task", "nothing.md"], 3, "there is no file \"nothing.md\""),
    (["--task", "x", "--agent", "claud"], 2, "there is no agent \"claud\""),
    (["--task", "x", "--agent", "codex", "--allowed-tools", "a"], 2, "has no option for a list"),
    (["--task", "x", "--agent", "gemini"], 3, "the agent gemini cannot be run"),
  ])
  func mistakes(_ arguments: [String], _ exit: Int, _ words: String) throws {
    try withRepository { world in
      let outcome = try world.conclave(["ralph-run"] + arguments)
      #expect(outcome.exit == Int32(exit) && outcome.output.isEmpty)
      #expect(outcome.errors.contains(words) && outcome.errors.split(separator: "\n").count == 1)
      #expect(try world.shell("git status --porcelain --ignored").output == "")
    }
  }
}

private func isZombie(_ pid: Int32) -> Bool {
  let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
  return status?.contains(") Z ") ?? true
}

/// A repository on the branch `feature` whose tests want the file `work` to say `good`.
private struct RalphWorld {
  let home: URL
  let top: URL
  let environment: [String: String]

  func conclave(_ arguments: [String], input: String = "") throws -> Outcome {
    try Tool.run(arguments, in: top, environment: environment, input: input)
  }

  /// Runs a loop whose agent is a script; reviewers always agree.
  func run(_ arguments: [String], agent script: String) throws -> Outcome {
    try start(arguments, agent: script).finish()
  }

  func start(_ arguments: [String], agent script: String) throws -> Tool {
    let file = home.appendingPathComponent("agent.sh")
    let reviewer = "prompt=$(cat); case $prompt in *'# Verdict'*) echo SPEC_PASS; exit;; esac\n"
    try Data("\(reviewer)printf '%s' \"$prompt\" | {\n\(script)\n}\n".utf8).write(to: file)
    let configuration = home.appendingPathComponent("agent.json")
    try Data("{\"command\":[\"/bin/sh\",\"\(file.path)\"]}".utf8).write(to: configuration)
    return try Tool(
      ["ralph-run", "--agent", configuration.path] + arguments, in: top, environment: environment)
  }

  func shell(_ line: String) throws -> Outcome { try Tool.shell(line, in: top) }

  func has(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: home.appendingPathComponent(name).path)
  }
}

private func withRepository(_ body: (RalphWorld) throws -> Void) throws {
  try withDirectory { home in
    let top = home.appendingPathComponent("repo ü")
    try FileManager.default.createDirectory(at: top, withIntermediateDirectories: true)
    let world = RalphWorld(
      home: home, top: top,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home.path])
    let made = try world.shell(
      """
      git init -q -b feature . && git config user.name T && git config user.email t@localhost \
      && echo begin > work \
      && echo 'grep -q good work || { echo error: not good; exit 1; }' > test.sh \
      && git add -A && git commit -qm first
      """)
    try #require(made.exit == 0, "\(made.errors)")
    try body(world)
  }
}
