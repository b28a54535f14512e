import ConclaveBus
import ConclaveRunner
import Glibc

/// `parallel-run --demo`: a plan of two tasks in a repository of its own, and a script that stands
/// in for an agent. Everything stays, to be looked at.
struct Demo {
  private let path: String
  private let environment: [String: String]
  private let console: Console

  /// Makes the repository, in the directory for temporary files.
  ///
  /// - Throws: `notFound` without git, `noSpace`, `permissionDenied`, `system`.
  init(_ console: Console) throws {
    self.console = console
    environment = ProcessEnvironment.inherited()
    _ = try Executable.find("git", environment: environment, directory: "/")
    path = try Demo.makeDirectory()
    let result = try shell(Demo.repository)
    guard result.succeeded else {
      throw ToolError(
        .failure, code: "system", "the repository could not be made: \(quoted(result.errors.text))",
        hint: "see \(path)")
    }
  }

  /// Its plan, its agent and its repository are its own: whoever names others means something else.
  static func requireNothingElse(_ arguments: Arguments) throws(ToolError) {
    for option in ParallelOptions.all where option.long != ParallelOptions.demo.long {
      guard arguments.written(option) != nil else { continue }
      throw usageError(
        "--demo and --\(option.long) exclude each other", hint: "leave one of them out")
    }
  }

  func run() throws -> ExitCode {
    guard unsafe chdir(path) == 0 else {
      throw ToolError(.failure, code: "system", "cannot enter \(path): \(errorText(errno))")
    }
    // What is set for other buses and plans is not meant for this one.
    for name in ["BUS_DIR", "BUS_GROUP", "BUS_MODE", "PARALLEL_WORKTREE_DIR"] {
      unsafe unsetenv(name)
    }
    console.notes.say("a repository to try it in: \(path)")
    console.notes.say("$ cd \(path) && conclave \(Demo.command.joined(separator: " "))")
    let arguments = try ArgumentParser.parse(
      Demo.command.dropFirst() + (console.json ? ["--json"] : []), by: ParallelCommand.usage)
    let exit = try ParallelRun(arguments, console).run()
    if exit == .success { sayMore(try shell("git log --oneline --stat --reverse HEAD~2..").output) }
    return exit
  }

  private func sayMore(_ log: CapturedOutput) {
    console.notes.say(
      """
      $ git log --oneline --stat --reverse HEAD~2..
      \(log.text)
      plan.md is what was asked for, agent.sh stood in for an agent. With claude, in a
      repository of yours and on a branch: conclave parallel-run --plan plan.md
      """)
  }

  private func shell(_ script: String) throws -> ChildResult {
    try ChildRun.run(
      ChildRequest(
        "/bin/sh", ["-ec", script], environment: environment, directory: path))
  }

  private static func makeDirectory() throws(ToolError) -> String {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/conclave-demo-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw ToolError(
        .failure, code: "system", "cannot make a directory in \(parent): \(errorText(errno))",
        hint: "set TMPDIR to one of your own")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static let command = [
    "parallel-run", "--plan", "plan.md", "--agent", "agent.json",
  ]

  /// The agent tells what it is asked by the prompt, as `ralph-run` writes it.
  private static let repository = #"""
    cat > plan.md << 'END'
    # A plan of two tasks

    ## Task 1: Greet
    Write a greeting into greeting.txt. It ends with a full stop.

    **Files:**
    - Create: `greeting.txt`

    **Dependencies:** None

    ## Task 2: Part
    Write a farewell into farewell.txt. It ends with a full stop.

    **Files:**
    - Create: `farewell.txt`

    **Dependencies:** None
    END
    cat > agent.sh << 'END'
    # Stands in for a coding agent: it is asked on standard input, changes files, and answers.
    asked=$(cat)
    case $asked in
      *'# Verdict'*) echo SPEC_PASS ;;
      *'Write a greeting'*)
        sleep 1
        echo 'Good morning.' > greeting.txt
        echo 'Done. <!-- BUS:discovery -->sentences end with a full stop<!-- /BUS -->' ;;
      *'Write a farewell'*)
        sleep 1
        echo 'Good night.' > farewell.txt
        echo 'Done.' ;;
    esac
    END
    cat > agent.json << 'END'
    {"name": "demo", "command": ["sh", "agent.sh"], "prompt": "stdin", "answer": "text"}
    END
    cat > test.sh << 'END'
    # Passes when each text ends with a full stop.
    for file in *.txt; do
      [ ! -e "$file" ] || grep -q '\.$' "$file" || exit 1
    done
    END
    git init -q
    git checkout -q -b demo
    git config user.name > /dev/null || git config user.name 'Demo'
    git config user.email > /dev/null || git config user.email 'demo@localhost'
    git add .
    git commit -q -m 'Begin with a plan'
    """#
}
