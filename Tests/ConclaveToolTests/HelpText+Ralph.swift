/// What `--help` says of the loop, whole.
extension HelpText {
  static let ralphRun = #"""
    conclave ralph-run - have an agent work on a task until its work passes all gates

    Usage: conclave ralph-run [options]

    Each iteration calls the agent anew and then runs the gates: implement, tests,
    spec (another call of the agent compares the difference with the task), quality
    (its failure is a warning), and commits what has passed. What failed is told to
    the agent in the next iteration, in .ralph_context.md; the state of the loop is
    in .ralph_state.json. Both, and .ralph.lock, stay out of every commit.

    Equal failures in a row make the agent change its strategy, at most twice, and
    then end the loop. Failed work is kept on a branch wip/ralph-fail-...; branch,
    index and files stay as they are.

    SIGINT and SIGTERM end everything that runs; --resume goes on where it was.
    Exit codes: 0 passed, 1 failed or stopped, 4 the time of the whole loop is
    over, 5 another loop is at work or has not passed, 7 nobody is logged in to the
    agent, or git cannot sign, 8 the disk is full, 9 the agent needs a person.

    An agent is claude, codex, gemini, or a JSON file that describes another:
    {"command": ["my-agent", "-q"], "prompt": "stdin|argument|file",
    "answer": "text|json", "keys": {"result": "result", "isError": "is_error"}}.

    Options:
          --task TEXT|FILE             what is to be done, or the path of a file
                                       that says it; - reads standard input
          --task-id NAME               the task's name; default: made from the
                                       branch
          --max-iterations N           how often the agent may try; default 5
          --implement-timeout TIME     for each call of the agent; default 1200s
                                       [environment: RALPH_TIMEOUT_IMPLEMENT]
          --test-timeout TIME          for the tests; default 600s [environment:
                                       RALPH_TIMEOUT_TEST]
          --spec-timeout TIME          for the reviewer; default 300s [environment:
                                       RALPH_TIMEOUT_SPEC]
          --quality-timeout TIME       for --lint-cmd; default 180s [environment:
                                       RALPH_TIMEOUT_QUALITY]
          --global-timeout TIME        for everything; default 3600s [environment:
                                       RALPH_TIMEOUT_GLOBAL]
          --stuck-threshold N          how many equal failures in a row are too
                                       many; default 3 [environment:
                                       RALPH_STUCK_THRESHOLD]
          --max-cost DOLLARS           end when the agent says that it has cost as
                                       much
          --skip-spec                  leave out the reviewer
          --agent NAME|FILE            claude (the default), codex, gemini, or a
                                       JSON file
          --permission-mode MODE       what the agent may do, in its own words;
                                       default: edit files
          --allowed-tools LIST         the tools that it may use, in its own words
          --test-cmd LINE              a line of shell; default: what the project's
                                       files suggest
          --require-tests              refuse to begin without tests
          --lint-cmd LINE              a line of shell for the quality gate
          --resume                     go on with the loop that has not passed
          --fresh                      begin anew, and forget that loop
          --push REMOTE                push the branch with failed work; by default
                                       nothing is pushed
          --no-push                    push nothing, which is the default
          --no-commit                  leave what has passed uncommitted
          --no-verify                  commit without the repository's hooks
          --allow-protected            work on main or master, too
          --allow-dirty                begin with uncommitted changes; they become
                                       part of the work
          --board-dir DIR              the bus with the board that this task reads
                                       and writes
          --board-topic TOPIC          the board's topic; default board, in the bus
                                       of this place
          --board-limit N              how many notes besides the warnings an
                                       iteration is told; default 20 [environment:
                                       BUS_MAX_BOARD_INJECT]
          --transport shm|file|mirror  shared memory with the topic files as its
                                       mirror (mirror, the default), or one of them
                                       alone [environment: BUS_TRANSPORT]
      -q, --quiet                      say nothing before the end
          --json                       print JSON, and errors as
                                       {"error":{code,message,hint}}
      -h, --help                       show this help and exit

    Examples:
      # one task
      conclave ralph-run --task "Add a --quiet option"

      # a task in a file, tests of your own, at most 5 dollars
      conclave ralph-run --task task.md --test-cmd "make check" --max-cost 5

      # go on after an interruption
      conclave ralph-run --resume

    """#

  static let ralph = #"""
    conclave ralph - look after the loop of ralph-run in this git worktree

    Usage: conclave ralph COMMAND [options]

    Commands:
      status       show how far the loop in this worktree is
      stop         ask the loop in this worktree to stop at its next gate
      add-context  tell the agent something from the next iteration on

    Each command has --help.

    Examples:
      # how far is it?
      conclave ralph status

    """#

  static let ralphStatus = #"""
    conclave ralph status - show how far the loop in this worktree is

    Usage: conclave ralph status [options]

    Ends with exit code 3 when there is none. With --json it prints the state as one
    object, without the task's text, and whether a loop is at work now.

    Options:
          --json  print JSON, and errors as {"error":{code,message,hint}}
      -h, --help  show this help and exit

    Examples:
      # look once
      conclave ralph status

      # what has it cost?
      conclave ralph status --json | jq .state.cost_usd

    """#

  static let ralphStop = #"""
    conclave ralph stop - ask the loop in this worktree to stop at its next gate

    Usage: conclave ralph stop [options]

    Returns at once; what runs now is let finish. The loop then ends with exit code
    1 and can be resumed. Ends with exit code 3 when no loop is at work. To end it at
    once, send it SIGINT.

    Options:
          --json  print JSON, and errors as {"error":{code,message,hint}}
      -h, --help  show this help and exit

    Examples:
      # stop after this gate
      conclave ralph stop

    """#

  static let ralphAddContext = #"""
    conclave ralph add-context - tell the agent something from the next iteration on

    Usage: conclave ralph add-context TEXT [options]

    The text is part of .ralph_context.md in all later iterations of this task. At
    most 64 KiB in all. Ends with exit code 3 when there is no loop to tell it.

    Arguments:
      TEXT  what to tell; - reads standard input

    Options:
          --json  print JSON, and errors as {"error":{code,message,hint}}
      -h, --help  show this help and exit

    Examples:
      # help it
      conclave ralph add-context "The parser is in src/parse, not in lib"

    """#
}
