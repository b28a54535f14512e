import BusTesting
import ConclaveBus
import Foundation
import Testing

@testable import ConclaveTool

/// The README's command lines run, and its tables and examples say what the command does.
@Suite struct CommandLineTests {
  /// The built command lies next to the test bundle.
  private static let tool = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("conclave").path

  /// All of them in the README's order on one bus, made short: the last of several values of an
  /// option holds.
  @Test func everyCommandLineRuns() async throws {
    let lines = try Readme.commandLines()
    try await onThread {
      try CommandLineTests.withBus { directory in
        var ran = 0
        for line in lines {
          for segment in line.components(separatedBy: " | ") where isOurs(segment) {
            let outcome = try CommandLineTests.run(
              endsByItself(segment)
                ? segment + " " + shortened(segment) : "\(segment) & sleep 1; kill $!; wait $!",
              in: directory.path)
            // 3: an example's id is in no ring of ours; 4: nothing arrived; 143: it was ended.
            let expected: [Int32] =
              segment.contains("subscribe") ? [0, 3, 4] : endsByItself(segment) ? [0] : [143]
            #expect(expected.contains(outcome.exit), "\(segment)\n\(outcome.errors)")
            ran += 1
          }
        }
        #expect(ran >= 15)
      }
    }
  }

  @Test func theTwoCommandsAreThere() throws {
    let lines = try Readme.commandLines()
    #expect(lines.contains("swift run -c release conclave bus stress"))
    #expect(lines.contains("swift test"))
  }

  @Test func theTableOfExitCodesIsWhole() throws {
    let text = try Readme.text()
    for code in ExitCode.allCases {
      #expect(text.contains("\n| \(code.rawValue) | \(code.meaning) |\n"))
    }
  }

  private var commands: [any Command.Type] {
    Menu.busCommands + Menu.boardCommands + Menu.ralphCommands + Menu.singleCommands
  }

  @Test func everyVariableIsExplained() throws {
    let text = try Readme.text()
    let variables = Set(commands.flatMap { $0.usage.options.compactMap(\.environment) })
    #expect(variables.count == 19)
    for variable in variables { #expect(text.contains("\n| `\(variable)` |")) }
  }

  @Test func everyCommandAndStressOptionIsShown() throws {
    let text = try Readme.text()
    for command in commands {
      #expect(text.contains("conclave \(command.usage.name)"))
    }
    for option in StressCommand.usage.options { #expect(text.contains("--\(option.long)")) }
  }

  @Test func theExamplesHaveTheKeysOfTheRealThing() async throws {
    let examples = try Readme.blocks(of: "json")
    try #require(examples.count == 2)
    let (envelope, stress) = try await onThread {
      try CommandLineTests.withBus { directory in
        let said = try CommandLineTests.run(
          "conclave bus publish a --sender b --type c --payload 1", in: directory.path)
        #expect(said.exit == 0)
        let heard = try CommandLineTests.run(
          "conclave bus subscribe --from beginning --count 1", in: directory.path)
        let stress = try CommandLineTests.run(
          "conclave bus stress --transport channel --publishers 2 --messages 200 --rate 5000"
            + " --json",
          in: directory.path)
        return (heard.output, stress.output)
      }
    }
    #expect(try keys(examples[0]) == keys(envelope))
    #expect(try keys(examples[1]) == keys(stress))
  }

  private func keys(_ text: String) throws -> Set<String> {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return Set(try #require(object, "no JSON object: \(text)").keys)
  }

  private static func withBus<R>(_ body: (TemporaryDirectory) throws -> R) throws -> R {
    let directory = try TemporaryDirectory()
    defer {
      for place in ["", " --bus-dir bus-for-stress"] {
        _ = try? run("conclave bus clean --yes\(place)", in: directory.path)
      }
    }
    return try body(directory)
  }

  /// Runs a line of shell in which `conclave` is the command.
  private static func run(
    _ line: String, in directory: String
  ) throws -> (exit: Int32, output: String, errors: String) {
    // In the background the shell has made a process for the function already.
    let prefix = line.contains("$!") ? "exec " : ""
    // The input is there before the command is, which may end without having read any.
    let input = "exec <<'END'\n{}\nEND"
    let shell = try ChildProcess(
      "/bin/sh", ["-c", "\(input)\nconclave() { \(prefix)'\(tool)' \"$@\"; }\n\(line)"],
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": directory],
      workingDirectory: directory)
    guard case .code(let exit) = try shell.wait() else { return (-1, "", "killed by a signal") }
    return (exit, shell.standardOutput, shell.standardError)
  }
}

/// Whether a part of a pipeline is a call of the command, with or without variables before it.
private func isOurs(_ segment: String) -> Bool {
  segment.split(separator: " ").drop { $0.contains("=") && !$0.hasPrefix("-") }.first == "conclave"
}

/// Whether an example needs no signal to end.
private func endsByItself(_ segment: String) -> Bool {
  !segment.contains(" bus mirror") && !segment.contains(" board watch")
}

/// What makes an example short enough for a test.
private func shortened(_ segment: String) -> String {
  if segment.contains(" bus top") { return "--interval 10ms --count 1" }
  if segment.contains(" bus stress") { return "--messages 600 --publishers 3 --subscribers 2" }
  return segment.contains(" bus subscribe") ? "--timeout 100ms" : ""
}
