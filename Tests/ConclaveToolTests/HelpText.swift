/// What `--help` says, whole.
enum HelpText {
  static let top = #"""
    conclave - a message bus for the processes of one machine

    Usage: conclave bus COMMAND [options]
           conclave board COMMAND [options]
           conclave parallel-run --plan FILE [options]
           conclave ralph-run --task TEXT [options]
           conclave ralph COMMAND [options]
           conclave doctor [options]
           conclave help [COMMAND [COMMAND]]
           conclave --version

    Commands:
      bus           publish, subscribe and look after the bus; see conclave bus
                    --help
      board         what tasks tell each other; see conclave board --help
      parallel-run  have agents work on the tasks of a plan, beside each other
      ralph-run     have an agent work on a task until its work passes all gates
      ralph         look after a loop that ralph-run has begun; see conclave ralph
                    --help
      doctor        look for what is wrong on this host or with this bus

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
        9  blocked: an agent needs a person
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

  static let bus = #"""
    conclave bus - the message bus of this directory or git repository

    Usage: conclave bus COMMAND [options]

    Commands:
      publish    publish messages on a topic
      subscribe  print messages as they arrive, one JSON object a line
      replay     print a stretch of history, or publish it anew
      mirror     copy everything that is published into the topic files
      status     show the segment, who takes part, lag, losses, rates and files
      top        watch who publishes, who is behind, and what grows
      compact    rotate topic files, and remove old ones
      clean      remove a bus whose participants are all dead
      archive    list the bus directories that ended sessions have left
      where      say which directory is the bus here, and by which rule
      stress     have many processes publish and receive, and check every byte

    Each command has --help.

    The bus is a directory: --bus-dir, or else BUS_DIR, or else the nearest
    .conclave/bus, or else the one in the repository's main worktree.

    Environment:
      BUS_DIR                the bus directory
      BUS_GROUP              the group with which it is shared
      BUS_MODE               0660 with a group, 0600 without
      BUS_TRANSPORT          shm (default), file or mirror
      BUS_POLL_INTERVAL      how often topic files are looked at where the system
                             cannot tell of changes; default 100ms
      BUS_POLL_MAX_INTERVAL  the same after a while without changes; default 1s

    Examples:
      # see which bus is used here, and why
      conclave bus where

      # follow a topic and what is below it
      conclave bus subscribe build | jq .payload

    """#

  static let status = #"""
    conclave bus status - show the segment, who takes part, lag, losses, rates and files

    Usage: conclave bus status [options]

    Looks from outside, beside running publishers and subscribers, without
    disturbing them. Ends with exit code 3 when there is no bus, with 6 when the
    segment holds what no participant wrote, or a durable subscription's journal
    is damaged.

    A lane belongs to one publishing process, a row to one subscription. A dead
    one's owner is gone; the next that needs one takes it over. The mirror has a
    row, too: it copies everything into the topic files, and its lag is how many
    records are not there yet.

    Options:
          --interval TIME   how long to watch for the rates; default 200ms, 0 for no
                            rates
          --bus-dir DIR     the bus directory [environment: BUS_DIR]
          --group GROUP     share the bus with the members of a group, by its name
                            or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660  whether the bus is one user's (0600) or a group's (0660,
                            the default with a group) [environment: BUS_MODE]
          --json            print JSON, and errors as {"error":{code,message,hint}}
      -h, --help            show this help and exit

    Examples:
      # look once
      conclave bus status

      # the greatest lag of a subscriber
      conclave bus status --json | jq '[.sharedMemory.subscribers[].lag] | max'

    """#

  static let busTop = #"""
    conclave bus top - watch who publishes, who is behind, and what grows

    Usage: conclave bus top [options]

    On a terminal one picture takes the place of the other: the tasks of the run of a
    plan that is at work in the repository, then the busiest publishers, then the
    subscribers that are furthest behind, then the topics whose files grow most, as
    far as there is room. Otherwise each picture stands below the other with an empty
    line between them; with --json each is a line of what bus status --json prints,
    with the run under .run while there is one, or null while there is no bus.

    Looks from outside, as bus status does, and goes on when the bus is removed and
    comes back. Ends with exit code 3 when there is none at first.

    Options:
          --interval TIME   how long to watch for each picture; default 1s
          --count N         end after so many pictures; default: not before it is
                            told to
          --bus-dir DIR     the bus directory [environment: BUS_DIR]
          --group GROUP     share the bus with the members of a group, by its name
                            or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660  whether the bus is one user's (0600) or a group's (0660,
                            the default with a group) [environment: BUS_MODE]
          --json            print JSON, and errors as {"error":{code,message,hint}}
      -h, --help            show this help and exit

    Examples:
      # watch
      conclave bus top

      # log the rate, every 10 seconds
      conclave bus top --interval 10s --json | jq .sharedMemory.recordsPerSecond

    """#

  static let compact = #"""
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
          --group GROUP       share the bus with the members of a group, by its name
                              or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660    whether the bus is one user's (0600) or a group's
                              (0660, the default with a group) [environment:
                              BUS_MODE]
          --json              print JSON, and errors as
                              {"error":{code,message,hint}}
      -h, --help              show this help and exit

    Examples:
      # keep the last week
      conclave bus compact --retention age=7d

      # see what more than 1 GiB of each log is
      conclave bus compact --topic log --retention size=1GiB --dry-run

    """#

  static let clean = #"""
    conclave bus clean - remove a bus whose participants are all dead

    Usage: conclave bus clean [options]

    Removes the shared-memory segment and the topic files, and says so; with them the
    idempotency keys, the durable subscriptions and the mirror's state are forgotten,
    and positions begin with 0 again. Nothing else in the directory is touched. While
    anybody takes part nothing is removed, and the command ends with exit code 5.
    Messages in topic files are gone for good. While a session has the directory,
    whatever it is doing, it is not cleaned.

    Options:
      -y, --yes             do not ask, on a terminal
      -n, --dry-run         only say what would be removed
          --purge-stale     remove only the directories of sessions whose process is
                            dead, this one and those in it, instead of leaving them
                            to be archived
          --bus-dir DIR     the bus directory [environment: BUS_DIR]
          --group GROUP     share the bus with the members of a group, by its name
                            or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660  whether the bus is one user's (0600) or a group's (0660,
                            the default with a group) [environment: BUS_MODE]
          --json            print JSON, and errors as {"error":{code,message,hint}}
      -h, --help            show this help and exit

    Examples:
      # see what is there to remove
      conclave bus clean --dry-run

      # remove it without a question
      conclave bus clean --yes

    """#

  static let archive = #"""
    conclave bus archive - list the bus directories that ended sessions have left

    Usage: conclave bus archive [options]

    A command that runs tasks has a bus directory of its own while it lasts. When it
    ends, or the next one finds that it was killed, the directory is moved to
    .conclave/archive/SESSION; the five newest sessions are kept. What is printed is
    a bus directory to be read: conclave bus replay --bus-dir PATH.

    Options:
          --bus-dir DIR     the bus directory [environment: BUS_DIR]
          --group GROUP     share the bus with the members of a group, by its name
                            or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660  whether the bus is one user's (0600) or a group's (0660,
                            the default with a group) [environment: BUS_MODE]
          --json            print JSON, and errors as {"error":{code,message,hint}}
      -h, --help            show this help and exit

    Examples:
      # what is there?
      conclave bus archive

      # read what was said in one of them
      conclave bus replay --bus-dir .conclave/archive/run-7/wave-0

    """#

  static let whereToFindIt = #"""
    conclave bus where - say which directory is the bus here, and by which rule

    Usage: conclave bus where [options]

    Prints the path alone on standard output, so that it can be used in $(...), and
    the rule on standard error. Nothing is made; the directory may not exist yet.

    Options:
          --bus-dir DIR     the bus directory [environment: BUS_DIR]
          --group GROUP     share the bus with the members of a group, by its name
                            or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660  whether the bus is one user's (0600) or a group's (0660,
                            the default with a group) [environment: BUS_MODE]
          --json            print JSON, and errors as {"error":{code,message,hint}}
      -h, --help            show this help and exit

    Examples:
      # which bus is it?
      conclave bus where

      # list its topic files
      ls "$(conclave bus where)"

    """#
}
