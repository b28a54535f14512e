import BusTesting
import ConclaveBus
import ConclaveRunner
import Testing

/// A prompt that is an argument has 131,072 bytes at most, with the zero at its end.
@Suite struct PromptLengthTests {
  /// An agent that gets its prompt as an argument, and keeps what the reviewer gets.
  private func options(_ world: LoopWorld, _ script: String) -> LoopOptions {
    var options = world.options("")
    Files.write(
      world.home.appending("agent.sh"),
      """
      case $1 in *"# Verdict"*) printf '%s' "$1" > "$WORLD/review"; echo SPEC_PASS; exit;; esac
      echo called > "$WORLD/n"
      \(script)
      """)
    options.agent.command.append("{prompt}")
    options.agent.prompt = .argument
    return options
  }

  @Test(arguments: ["yes 'a line of text'", "yes '``````````'", "yes 'größer, 本 🙂'"])
  func aLargeDifferenceIsCut(_ lines: String) async throws {
    let world = try LoopWorld(tests: nil)
    let outcome = try await world.run(options(world, "\(lines) | head -c 150000 > new"))
    #expect(outcome.end == .passed)
    let review = Files.text(world.home.appending("review"))
    #expect(review.contains("bytes of the difference omitted ...]"))
    #expect(review.contains("# Verdict") && review.hasSuffix("Begin now."))
    #expect(review.utf8.count < 131_072 && review.utf8.count > 100_000)
  }

  @Test func aTaskThatIsTooLongIsRefused() async throws {
    let world = try LoopWorld(tests: nil)
    var options = options(world, "echo good > work")
    options.task = String(repeating: "do it well. ", count: 12_000)
    let error = try await world.refusal(options)
    #expect(error?.code == .messageTooLarge)
    #expect(error?.hint.contains(#""prompt": "stdin""#) == true, "\(error?.hint ?? "")")
    #expect(error?.message.contains("\n") == false && error?.message.contains("131071") == true)
    #expect(!Files.exists(world.home.appending("n")))
  }

  @Test func standardInputHasRoom() async throws {
    let world = try LoopWorld(tests: nil)
    let outcome = try await world.run("yes 'a line of text' | head -c 150000 > new")
    #expect(outcome.end == .passed)
  }
}
