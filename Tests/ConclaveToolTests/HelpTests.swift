import BusTesting
import Foundation
import Testing

/// The help texts, whole: what people read is part of what is promised.
@Suite(.blocking) struct HelpTests {
  @Test(arguments: [
    ([], HelpText.top),
    (["bus"], HelpText.bus),
    (["bus", "publish"], HelpText.publish),
    (["bus", "subscribe"], HelpText.subscribe),
    (["bus", "replay"], HelpText.replay),
    (["bus", "mirror"], HelpText.mirror),
    (["bus", "status"], HelpText.status),
    (["bus", "top"], HelpText.busTop),
    (["bus", "compact"], HelpText.compact),
    (["bus", "clean"], HelpText.clean),
    (["bus", "archive"], HelpText.archive),
    (["bus", "where"], HelpText.whereToFindIt),
    (["board"], HelpText.board),
    (["board", "post"], HelpText.boardPost),
    (["board", "read"], HelpText.boardRead),
    (["board", "watch"], HelpText.boardWatch),
    (["parallel-run"], HelpText.parallelRun),
    (["ralph-run"], HelpText.ralphRun),
    (["ralph"], HelpText.ralph),
    (["ralph", "status"], HelpText.ralphStatus),
    (["ralph", "stop"], HelpText.ralphStop),
    (["ralph", "add-context"], HelpText.ralphAddContext),
    (["doctor"], HelpText.doctor),
  ])
  func wholeTexts(_ words: [String], _ text: String) throws {
    try withDirectory { directory in
      let expected = Outcome(exit: 0, output: text, errors: "")
      for arguments in [words + ["--help"], words + ["-h"], ["help"] + words] {
        let outcome = try Tool.run(arguments, in: directory)
        #expect(outcome == expected)
      }
    }
  }

  @Test func helpComesBeforeMistakes() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(["bus", "publish", "a", "b", "--help"], in: directory)
      #expect(outcome.exit == 0 && outcome.output == HelpText.publish)
    }
  }

  @Test func version() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(["--version"], in: directory)
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      #expect(outcome.output.wholeMatch(of: /conclave 0\.1\.0 \(segment layout \d+\)\n/) != nil)
    }
  }

  @Test(arguments: [
    (
      [],
      "conclave needs a command: bus, board, ralph, parallel-run, ralph-run, doctor; "
        + "see conclave --help"
    ),
    (["board"], "conclave board needs a command: post, read, watch; see conclave board --help"),
    (["board", "wath"], "unknown command \"wath\"; did you mean watch?"),
    (["board", "post"], "KIND is missing; see conclave board post --help"),
    (
      ["bus"],
      "conclave bus needs a command: publish, subscribe, replay, mirror, status, top, compact, "
        + "clean, archive, where, stress; see conclave bus --help"
    ),
    (["buss"], "unknown command \"buss\"; did you mean bus?"),
    (["zzz"], "unknown command \"zzz\"; see conclave --help"),
    (["--hepl"], "unknown option \"--hepl\"; did you mean --help?"),
    (["bus", "pubish"], "unknown command \"pubish\"; did you mean publish?"),
    (["bus", "--halp"], "unknown option \"--halp\"; did you mean --help?"),
    (["bus", "clean", "--dryrun"], "unknown option \"--dryrun\"; did you mean --dry-run?"),
    (
      ["bus", "status", "--intervall", "1s"],
      "unknown option \"--intervall\"; did you mean --interval?"
    ),
    (["bus", "status", "now"], "unexpected argument \"now\"; see conclave bus status --help"),
    (["bus", "status", "--interval"], "option --interval needs a value; write --interval=TIME"),
    (
      ["bus", "status", "--interval=soon"],
      "option --interval is \"soon\"; write a time such as 100ms, 1s or 2m"
    ),
    (
      ["bus", "where", "\u{1B}[2J\n"],
      "unexpected argument \"\\u{1B}[2J\\n\"; see conclave bus where --help"
    ),
  ])
  func mistakes(_ arguments: [String], _ line: String) throws {
    try withDirectory { directory in
      let outcome = try Tool.run(arguments, in: directory)
      #expect(outcome == Outcome(exit: 2, output: "", errors: "conclave: \(line)\n"))
    }
  }

  @Test func outputThatCannotBeWritten() throws {
    try withDirectory { directory in
      let full = try Tool.shell("conclave --help > /dev/full; echo $?", in: directory)
      #expect(full.output == "8\n" && full.errors.hasPrefix("conclave: cannot write output: "))
      let closed = try Tool.shell(
        "{ sleep 0.1; conclave --help; echo $? >&2; } | true", in: directory)
      #expect(closed.errors == "141\n")
    }
  }
}
