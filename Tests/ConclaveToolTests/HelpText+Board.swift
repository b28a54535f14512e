/// The help of the commands of the group `board`.
extension HelpText {
  static let board = #"""
    conclave board - what tasks that work beside each other tell each other

    Usage: conclave board COMMAND [options]

    Commands:
      post   say something to the others
      read   show the notes that a task would be given now
      watch  print notes as they are posted

    Each command has --help.

    A board is a topic of the bus. Its notes are discoveries (facts that help others),
    warnings (pitfalls), intents (what somebody is about to change; they expire) and
    context (what who runs the tasks has to say).

    Environment:
      BUS_DIR               the bus directory; see conclave bus --help
      BUS_GROUP             the group with which it is shared
      BUS_MODE              0660 with a group, 0600 without
      BUS_TRANSPORT         shm, file or mirror (default)
      BUS_MAX_BOARD_INJECT  how many notes besides the warnings are shown; default
                            20

    Examples:
      # tell the others
      conclave board post warning "package X 2 breaks auth" --sender task-3

      # see what they said
      conclave board read

    """#

  static let boardPost = #"""
    conclave board post - say something to the others

    Usage: conclave board post KIND [TEXT...] [options]

    KIND is discovery (a fact that helps others), warning (a pitfall), intent (what
    you are about to change) or context. The text is what the arguments say, with a
    space between them, or standard input; the white space around it is left out.
    It has at most 4096 bytes: a sentence or two, naming a file if there is more.

    The note is on the bus at once and, unless --transport shm is used, in the
    board's topic file. Prints nothing, or with --json {"posted":1}.

    Arguments:
      KIND     discovery, warning, intent or context
      TEXT...  what there is to say; without it, or with - alone, standard input is
               read

    Options:
      -s, --sender NAME                who says it, for instance task-3; default:
                                       the login name
          --ttl TIME                   how long it counts, at most 24h; default: an
                                       intent 30m, all else without end
          --provisional                an attempt that failed says so: others are
                                       shown it as unconfirmed
          --topic TOPIC                the board; default board, of a wave of
                                       parallel tasks parallel.wave-N.board
          --transport shm|file|mirror  shared memory with the topic files as its
                                       mirror (mirror, the default), or one of them
                                       alone [environment: BUS_TRANSPORT]
          --bus-dir DIR                the bus directory [environment: BUS_DIR]
          --group GROUP                share the bus with the members of a group, by
                                       its name or gid: they are trusted
                                       [environment: BUS_GROUP]
          --mode 0600|0660             whether the bus is one user's (0600) or a
                                       group's (0660, the default with a group)
                                       [environment: BUS_MODE]
          --json                       print JSON, and errors as
                                       {"error":{code,message,hint}}
      -h, --help                       show this help and exit

    Examples:
      # a pitfall
      conclave board post warning "package X 2 breaks auth" --sender task-3

      # what you are about to change
      conclave board post intent Modifying src/auth.swift -s task-3 --ttl 10m

    """#

  static let boardRead = #"""
    conclave board read - show the notes that a task would be given now

    Usage: conclave board read [options]

    Warnings first, then the newest others; the newest first. The same text comes
    once, what has expired does not come, and of what there is no room for the number
    is said. With --all the whole board is printed as it is.

    What others wrote is data: it is printed on one line and in quotation marks,
    without control characters, tags and code fences. With --json the texts are as
    they were written: {"topic","items":[...],"omitted":{...}}.

    Reads what was said by now and ends. Ends with exit code 3 when there is no bus.

    Options:
          --all                        everything that was said, one note a line,
                                       oldest first
      -n, --limit N                    how many notes besides the warnings; default
                                       20 [environment: BUS_MAX_BOARD_INJECT]
          --tokens N                   about how many tokens all of it may have, a
                                       token for every three bytes; default 4000
          --kind KIND                  only discovery, warning, intent or context
          --since TIME                 only what was said at this time or later,
                                       such as 2026-11-21T09:05:00Z, or -10m for ten
                                       minutes ago
      -s, --sender NAME                leave out what this one said, as its loop
                                       would
          --topic TOPIC                the board; default board, of a wave of
                                       parallel tasks parallel.wave-N.board
          --transport shm|file|mirror  shared memory with the topic files as its
                                       mirror (mirror, the default), or one of them
                                       alone [environment: BUS_TRANSPORT]
          --bus-dir DIR                the bus directory [environment: BUS_DIR]
          --group GROUP                share the bus with the members of a group, by
                                       its name or gid: they are trusted
                                       [environment: BUS_GROUP]
          --mode 0600|0660             whether the bus is one user's (0600) or a
                                       group's (0660, the default with a group)
                                       [environment: BUS_MODE]
          --json                       print JSON, and errors as
                                       {"error":{code,message,hint}}
      -h, --help                       show this help and exit

    Examples:
      # what is there to know?
      conclave board read

      # all warnings of the last hour
      conclave board read --all --kind warning --since -1h

    """#

  static let boardWatch = #"""
    conclave board watch - print notes as they are posted

    Usage: conclave board watch [options]

    One note a line, as board read --all prints them, or with --json one JSON object
    a line. Begins with what is posted from now on. Until SIGINT or SIGTERM, or for
    as long as --count and --timeout say.

    Options:
      -n, --count N                    end after N notes, with exit code 0
          --timeout TIME               end when nothing arrived for this long, with
                                       exit code 4
          --kind KIND                  only discovery, warning, intent or context
          --since TIME                 begin with what was said at this time or
                                       later, such as 2026-11-21T09:05:00Z, or -10m
                                       for ten minutes ago; needs --transport file
                                       or mirror
          --topic TOPIC                the board; default board, of a wave of
                                       parallel tasks parallel.wave-N.board
          --transport shm|file|mirror  shared memory with the topic files as its
                                       mirror (mirror, the default), or one of them
                                       alone [environment: BUS_TRANSPORT]
          --bus-dir DIR                the bus directory [environment: BUS_DIR]
          --group GROUP                share the bus with the members of a group, by
                                       its name or gid: they are trusted
                                       [environment: BUS_GROUP]
          --mode 0600|0660             whether the bus is one user's (0600) or a
                                       group's (0660, the default with a group)
                                       [environment: BUS_MODE]
          --json                       print JSON, and errors as
                                       {"error":{code,message,hint}}
      -h, --help                       show this help and exit

    Examples:
      # see what the tasks find out
      conclave board watch

      # wait for the next warning
      conclave board watch --kind warning --count 1 --json

    """#
}
