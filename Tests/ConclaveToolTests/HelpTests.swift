import Foundation
import Testing

/// The help texts, whole: what people read is part of what is promised.
@Suite struct HelpTests {
  @Test(arguments: [
    ([], top),
    (["bus"], bus),
    (["bus", "publish"], publish),
    (["bus", "subscribe"], subscribe),
    (["bus", "status"], status),
    (["bus", "compact"], compact),
    (["bus", "clean"], clean),
    (["bus", "where"], whereToFindIt),
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
      #expect(outcome.exit == 0 && outcome.output == publish)
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
    ([], "conclave needs a command: bus; see conclave --help"),
    (
      ["bus"],
      "conclave bus needs a command: publish, subscribe, status, compact, clean, where, stress; "
        + "see conclave bus --help"
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

private let top = #"""
  conclave - a message bus for the processes of one machine

  Usage: conclave bus COMMAND [options]
         conclave help [bus [COMMAND]]
         conclave --version

  Commands:
    bus  publish, subscribe and look after the bus; see conclave bus --help

  Exit codes:
      0  success
      1  it ran, and the result is negative
      2  wrong use: bad option, topic, name or payload
      3  not found: no such bus or message
      4  timeout: nothing arrived, or no room was made in time
      5  conflict: somebody alive, or another version, is in the way
      6  degraded: damaged data, or with --strict messages were lost
      7  permission denied, or wrong owner
      8  out of room: disk, shared memory, lanes or subscriptions
     70  internal error, or the system failed
    130  ended by SIGINT
    141  standard output was closed (as by SIGPIPE)
    143  ended by SIGTERM

  Examples:
    # watch everything that is said
    conclave bus subscribe

    # say something
    conclave bus publish build.done --sender ci --type result --payload '{"ok":true}'

  """#

private let bus = #"""
  conclave bus - the message bus of this directory or git repository

  Usage: conclave bus COMMAND [options]

  Commands:
    publish    publish messages on a topic
    subscribe  print messages as they arrive, one JSON object a line
    status     show the segment, who takes part, lag, losses, rates and files
    compact    rotate topic files, and remove old ones
    clean      remove a bus whose participants are all dead
    where      say which directory is the bus here, and by which rule
    stress     have many processes publish and receive, and check every byte

  Each command has --help.

  The bus is a directory: --bus-dir, or else BUS_DIR, or else the nearest
  .conclave/bus, or else the one in the repository's main worktree.

  Environment:
    BUS_DIR                the bus directory
    BUS_TRANSPORT          shm (default) or file
    BUS_POLL_INTERVAL      how often topic files are looked at where the system
                           cannot tell of changes; default 100ms
    BUS_POLL_MAX_INTERVAL  the same after a while without changes; default 1s

  Examples:
    # see which bus is used here, and why
    conclave bus where

    # follow a topic and what is below it
    conclave bus subscribe build | jq .payload

  """#

private let publish = #"""
  conclave bus publish - publish messages on a topic

  Usage: conclave bus publish TOPIC --sender NAME --type TYPE [options]

  A payload is one JSON value and is carried byte for byte, without the white
  space around it; of text the line feeds at the end are left out. A topic is
  segments of A-Z a-z 0-9 _ - joined by dots.

  With --lines, empty lines are skipped (with --text they are messages, too).
  At the first line that is not JSON, or too large, the command ends with exit
  code 2: what came before it is published, nothing after it is.

  With --idempotency-key a command may be repeated until it succeeds: whatever
  became of the attempts before, the message is published once. A repetition
  succeeds as the first did.

  Prints nothing, or with --json {"published":N}. Ended by SIGINT or SIGTERM,
  --lines says on standard error how many were published; they stay.

  Arguments:
    TOPIC  where to publish, for instance build.done

  Options:
    -s, --sender NAME          who says it, for instance task-3
    -t, --type TYPE            what kind of message it is, for instance
                               board.discovery
    -p, --payload JSON         the payload; without it, standard input is read
        --text                 the payload is plain text: wrap it as {"text": ...}
        --lines                standard input holds one payload a line; each is
                               published as soon as it is read
        --idempotency-key KEY  publish only if no message with this key was
                               published on the topic within 10 minutes; needs
                               --transport file
        --transport shm|file   shared memory (the default), or one durable file
                               per topic [environment: BUS_TRANSPORT]
        --bus-dir DIR          the bus directory [environment: BUS_DIR]
        --json                 print JSON, and errors as
                               {"error":{code,message,hint}}
    -h, --help                 show this help and exit

  Examples:
    # say one thing
    conclave bus publish build.done --sender ci --type result --payload '{"ok":true}'

    # every line of a log, as it is written
    tail -f app.log | conclave bus publish log.app --sender app --type line --text --lines

    # say it once, however often this is run
    conclave bus publish deploy --transport file -s ci -t done -p 7 --idempotency-key build-7

  """#

private let subscribe = #"""
  conclave bus subscribe - print messages as they arrive, one JSON object a line

  Usage: conclave bus subscribe [PREFIX] [options]

  Each line has id, seq, timestamp, sender, topic, type and payload, in this
  order; other keys may follow. Gaps and warnings go to standard error, with
  --json as JSON objects, too. Times are written like 100ms, 1s or 2m; plain
  numbers are seconds.

  With --durable each line also has redelivered and attempt. A message that was
  not acknowledged five times goes to the topic dead-letter.NAME. With --ack
  manual the command ends with its standard input, or when --count messages are
  acknowledged. Where a name begins, --from says only the first time.

  Arguments:
    PREFIX  a topic, received with all below it; all without it

  Options:
        --from now|beginning|ID          where to begin: with what is published
                                         from now on (the default), with the
                                         oldest message that is left, or behind
                                         the message with this id
    -n, --count N                        end after N messages, with exit code 0
        --timeout TIME                   end when nothing arrived for this long,
                                         with exit code 4
        --policy dropping|back-pressure  when this subscriber is too slow, it
                                         loses messages and is told so (the
                                         default), or publishers wait for it
        --back-pressure-timeout TIME     how long one publish waits at most for
                                         this subscriber; without it as long as it
                                         lives
        --strict                         end with exit code 6 if messages were
                                         lost or damaged
        --durable NAME                   take part in the durable subscription
                                         with this name: each message goes to one
                                         of its members, and comes again until it
                                         is acknowledged; needs the mirrored bus
        --ack auto|manual                with --durable: acknowledge what is
                                         printed and flushed (the default), or
                                         what lines on standard input name, each
                                         by an id or a position
        --transport shm|file             shared memory (the default), or one
                                         durable file per topic [environment:
                                         BUS_TRANSPORT]
        --poll-interval TIME             how often files are looked at where the
                                         system cannot tell of changes; default
                                         100ms [environment: BUS_POLL_INTERVAL]
        --poll-max-interval TIME         the same after a while without changes;
                                         default 1s [environment:
                                         BUS_POLL_MAX_INTERVAL]
        --bus-dir DIR                    the bus directory [environment: BUS_DIR]
        --json                           print JSON, and errors as
                                         {"error":{code,message,hint}}
    -h, --help                           show this help and exit

  Examples:
    # the payloads below one topic
    conclave bus subscribe build | jq -c .payload

    # wait at most a minute for one message
    conclave bus subscribe build.done --count 1 --timeout 1m

    # one of several that share the jobs, and go on where they were
    conclave bus subscribe jobs --durable builders

  """#

private let status = #"""
  conclave bus status - show the segment, who takes part, lag, losses, rates and files

  Usage: conclave bus status [options]

  Looks from outside, beside running publishers and subscribers, without
  disturbing them. Ends with exit code 3 when there is no bus, with 6 when the
  segment holds what no participant wrote.

  A lane belongs to one publishing process, a row to one subscription. A dead
  one's owner is gone; the next that needs one takes it over.

  Options:
        --interval TIME  how long to watch for the rates; default 200ms, 0 for no
                         rates
        --bus-dir DIR    the bus directory [environment: BUS_DIR]
        --json           print JSON, and errors as {"error":{code,message,hint}}
    -h, --help           show this help and exit

  Examples:
    # look once
    conclave bus status

    # the greatest lag of a subscriber
    conclave bus status --json | jq '[.sharedMemory.subscribers[].lag] | max'

  """#

private let compact = #"""
  conclave bus compact - rotate topic files, and remove old ones

  Usage: conclave bus compact [options]

  Each topic file that is appended to is put aside under the next number, as
  TOPIC.jsonl.000001 and so on, and a new one begins. Then, of each topic, what
  exceeds any of the limits is removed, oldest files first. Publishers and
  subscribers may be at work; who reads a file that is removed reads it to its
  end, and who comes later is told of the gap.

  Ages have the unit ms, s, m, h, d or w, sizes KiB, MiB, GiB or none (bytes).
  Ends with exit code 3 when there is no bus, with 5 when another process keeps
  a file locked or is removing files for long.

  Options:
        --retention LIMITS  what to keep: age=7d,size=1GiB,count=1000000, one or
                            more of them; default: everything
        --topic PREFIX      only this topic and those below it
    -n, --dry-run           only say what would be done
        --bus-dir DIR       the bus directory [environment: BUS_DIR]
        --json              print JSON, and errors as
                            {"error":{code,message,hint}}
    -h, --help              show this help and exit

  Examples:
    # keep the last week
    conclave bus compact --retention age=7d

    # see what more than 1 GiB of each log is
    conclave bus compact --topic log --retention size=1GiB --dry-run

  """#

private let clean = #"""
  conclave bus clean - remove a bus whose participants are all dead

  Usage: conclave bus clean [options]

  Removes the shared-memory segment and the topic files, and says so; with them the
  idempotency keys are forgotten. Nothing else in the directory is touched. While
  anybody takes part nothing is removed, and the command ends with exit code 5.
  Messages in topic files are gone for good.

  Options:
    -y, --yes          do not ask, on a terminal
    -n, --dry-run      only say what would be removed
        --bus-dir DIR  the bus directory [environment: BUS_DIR]
        --json         print JSON, and errors as {"error":{code,message,hint}}
    -h, --help         show this help and exit

  Examples:
    # see what is there to remove
    conclave bus clean --dry-run

    # remove it without a question
    conclave bus clean --yes

  """#

private let whereToFindIt = #"""
  conclave bus where - say which directory is the bus here, and by which rule

  Usage: conclave bus where [options]

  Prints the path alone on standard output, so that it can be used in $(...), and
  the rule on standard error. Nothing is made; the directory may not exist yet.

  Options:
        --bus-dir DIR  the bus directory [environment: BUS_DIR]
        --json         print JSON, and errors as {"error":{code,message,hint}}
    -h, --help         show this help and exit

  Examples:
    # which bus is it?
    conclave bus where

    # list its topic files
    ls "$(conclave bus where)"

  """#
