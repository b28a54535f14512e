import BusTesting
import ConclaveBus
import ConclaveRunner
import Glibc
import SharedRing

/// A git repository, at a path with spaces and umlauts, and an agent that is a shell script.
final class LoopWorld: Sendable {
  let home: TemporaryDirectory
  /// The worktree.
  let top: String
  let events = Lock([String]())
  let stop = StopSignal()

  /// What the script of every agent begins with: `$prompt`, and `$n`, which counts its calls to
  /// implement from 1. Reviewers are answered at once, unless `$review` is set before.
  static let prelude = """
    prompt=$(cat)
    case $prompt in *"# Verdict"*) ${review:-echo SPEC_PASS}; exit;; esac
    n=$(cat "$WORLD/n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$WORLD/n"
    printf '%s' "$prompt" > "$WORLD/prompt-$n"

    """

  init(tests: String? = "grep -q good work || { echo 'error: not good'; exit 1; }") throws {
    home = try TemporaryDirectory()
    top = home.appending("Straße mit Platz 本")
    try git("init", "-q", "-b", "feature", top)
    for (key, value) in [("user.name", "Tester"), ("user.email", "tester@localhost")] {
      try git("-C", top, "config", key, value)
    }
    Files.write("\(top)/work", "begin\n")
    if let tests { Files.write("\(top)/test.sh", "#!/bin/sh\n\(tests)\n") }
    try git("-C", top, "add", "-A")
    try git("-C", top, "commit", "-q", "-m", "first")
  }

  @discardableResult
  func git(_ arguments: String...) throws -> String {
    let child = try ChildProcess("git", arguments)
    child.closeInput()
    let exit = try child.wait()
    guard exit == .code(0) else {
      throw SystemFailure("git \(arguments): \(child.standardError)", errorNumber: EINVAL)
    }
    return String(child.standardOutput.dropLast(child.standardOutput.hasSuffix("\n") ? 1 : 0))
  }

  func inTop(_ arguments: String...) throws -> String { try inTop(arguments) }

  func inTop(_ arguments: [String]) throws -> String {
    let child = try ChildProcess("git", ["-C", top] + arguments)
    child.closeInput()
    _ = try child.wait()
    return String(child.standardOutput.dropLast(child.standardOutput.hasSuffix("\n") ? 1 : 0))
  }

  /// Options for an agent that is `script` behind the prelude.
  func options(_ script: String, review: String = "echo SPEC_PASS") -> LoopOptions {
    Files.write(
      home.appending("agent.sh"), "review='\(review)'\n" + LoopWorld.prelude + script + "\n")
    var options = LoopOptions(task: "Make the work good", directory: top)
    options.agent = AgentConfiguration(
      name: "scripted", command: ["/bin/sh", home.appending("agent.sh")])
    options.environment["WORLD"] = home.path
    options.timeLimits.grace = .milliseconds(200)
    return options
  }

  func run(_ options: LoopOptions) async throws -> LoopOutcome {
    try await onThread { [self] in
      try RalphLoop.run(options, stop: stop) { event in
        self.events.withLock { $0.append("\(event)") }
      }
    }
  }

  func run(_ script: String, _ change: (inout LoopOptions) -> Void = { _ in }) async throws
    -> LoopOutcome
  {
    var options = options(script)
    change(&options)
    return try await run(options)
  }

  /// The error with which a loop cannot begin.
  func refusal(_ options: LoopOptions) async throws -> BusError? {
    do {
      _ = try await run(options)
      return nil
    } catch let error as BusError { return error }
  }

  func prompt(_ number: Int) -> String { Files.text(home.appending("prompt-\(number)")) }
  /// Whether an event's description holds `text`.
  func said(_ text: String) -> Bool { events.withLock { $0 }.contains { $0.contains(text) } }
  var work: String { Files.text("\(top)/work") }
  var branches: [String] {
    get throws {
      try inTop("for-each-ref", "--format=%(refname:short)", "refs/heads")
        .split(separator: "\n").map(String.init)
    }
  }
  var failedBranches: [String] { get throws { try branches.filter { $0.hasPrefix("wip/") } } }
  var status: String { get throws { try inTop("status", "--porcelain") } }
}
