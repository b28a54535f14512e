import BusTesting
import ConclaveRunner
import Glibc

@testable import ConclaveConsensus

/// Agents that are lines of shell, in a directory of their own. Each finds its prompt in `$prompt`,
/// and may keep what it likes in the directory, which is `$PWD`.
struct Panel {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  func agent(_ name: String, _ script: String) -> AgentConfiguration {
    AgentConfiguration(name: name, command: ["/bin/sh", "-c", "prompt=$(cat); \(script)"])
  }

  func options(_ agents: [AgentConfiguration]) -> ConsensusOptions {
    let question = ConsensusQuestion(
      title: "The title", text: "# Task\nThe question?", form: "The form.")
    let seats = agents.map { ConsensusOptions.Seat($0, directory: directory.path) }
    return ConsensusOptions(
      question, seats: seats, scratch: directory.path,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], session: "test-1")
  }

  /// What an agent has kept, empty if nothing.
  func text(_ name: String) -> String {
    guard let file = unsafe fopen("\(directory.path)/\(name)", "r") else { return "" }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 {
      bytes += chunk.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Panel {
  /// What tells the three kinds of prompts apart, and keeps each.
  static let kinds = """
    case $prompt in
      *'# A Synthesis'*) kind=synthesis;;
      *'# Round 2'*) kind=round-2;;
      *'# Round 1'*) kind=round-1;;
      'Say in two'*) kind=summary;;
      *) kind=analysis;;
    esac
    """

  /// An agent that answers everything, and keeps its prompts as `NAME-KIND`.
  func talker(_ name: String) -> AgentConfiguration {
    agent(
      name,
      """
      \(Panel.kinds)
      printf '%s' "$prompt" > \(name)-$kind
      echo "\(name) says $kind."
      [ $kind = analysis ] && printf '\\nTHESIS: %s stands for it.\\n' \(name)
      exit 0
      """)
  }
}
