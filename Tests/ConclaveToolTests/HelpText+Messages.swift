/// The help of the commands that carry messages.
extension HelpText {
  static let publish = #"""
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

    With --durability mirrored or synced a message that is acknowledged is in its
    topic's file, or on the disk. Exit code 6 says that it is on the bus, but that
    this could not be promised in time; or, with --when-failing fail, that nothing
    was published, since the mirror cannot write.

    Prints nothing, or with --json {"published":N}. Ended by SIGINT or SIGTERM,
    --lines says on standard error how many were published; they stay. With
    --durability mirrored or synced that is how many are known to be so, and those
    on the bus that are not yet are counted apart, as not confirmed: with --json
    {"published":N,"unconfirmed":M}.

    Arguments:
      TOPIC  where to publish, for instance build.done

    Options:
      -s, --sender NAME                       who says it, for instance task-3
      -t, --type TYPE                         what kind of message it is, for
                                              instance board.discovery
      -p, --payload JSON                      the payload; without it, standard
                                              input is read
          --text                              the payload is plain text: wrap it as
                                              {"text": ...}
          --lines                             standard input holds one payload a
                                              line; each is published as soon as it
                                              is read
          --idempotency-key KEY               publish only if no message with this
                                              key was published on the topic within
                                              10 minutes; needs --transport file or
                                              mirror
          --durability ring|mirrored|synced   what must be true before a publish is
                                              acknowledged: the message is on the
                                              bus (the default), in its topic's
                                              file, or on the disk; makes mirror the
                                              default transport
          --when-failing block|fail|continue  while the mirror cannot write the
                                              topic: block (the default), a publish
                                              waits, with --durability for its file
                                              and else for room once the ring is
                                              full; fail, it publishes nothing;
                                              continue, it waits for no file, and
                                              the mirror may give the message up
                                              when room gets short; makes mirror the
                                              default transport
          --patience TIME                     how long to wait at most for what
                                              --durability promises, and for room
                                              that the mirror has to make; default
                                              10s; makes mirror the default
                                              transport
          --transport shm|file|mirror         shared memory (the default), one
                                              durable file per topic, or shared
                                              memory with the files as its mirror
                                              [environment: BUS_TRANSPORT]
          --bus-dir DIR                       the bus directory [environment:
                                              BUS_DIR]
          --group GROUP                       share the bus with the members of a
                                              group, by its name or gid: they are
                                              trusted [environment: BUS_GROUP]
          --mode 0600|0660                    whether the bus is one user's (0600)
                                              or a group's (0660, the default with a
                                              group) [environment: BUS_MODE]
          --json                              print JSON, and errors as
                                              {"error":{code,message,hint}}
      -h, --help                              show this help and exit

    Examples:
      # say one thing
      conclave bus publish build.done --sender ci --type result --payload '{"ok":true}'

      # every line of a log, as it is written
      tail -f app.log | conclave bus publish log.app --sender app --type line --text --lines

      # say it once, however often this is run
      conclave bus publish deploy --transport file -s ci -t done -p 7 --idempotency-key build-7

      # say it for good
      conclave bus publish orders -s shop -t order -p 7 --durability synced

    """#

  static let subscribe = #"""
    conclave bus subscribe - print messages as they arrive, one JSON object a line

    Usage: conclave bus subscribe [PREFIX] [options]

    Each line has id, seq, timestamp, sender, topic, type and payload, in this
    order; other keys may follow. Gaps and warnings go to standard error, with
    --json as JSON objects, too. Times are written like 100ms, 1s or 2m; plain
    numbers are seconds.

    --from takes a moment like 2026-11-21T09:05:00Z, or -10m for ten minutes ago,
    where messages are kept in files: with --transport file and mirror.

    With --durable each line also has redelivered and attempt. A message that was
    not acknowledged five times goes to the topic dead-letter.NAME. With --ack
    manual the command ends with its standard input, or when --count messages are
    acknowledged. Where a name begins, --from says only the first time.

    With --read-only shared memory is mapped for reading alone, so the bus must be
    there already; messages may come 20 ms later, and status and top do not show
    this subscriber. For debugging a bus that others rely on.

    Arguments:
      PREFIX  a topic, received with all below it; all without it

    Options:
          --from now|beginning|ID|TIME     where to begin: with what is published
                                           from now on (the default), with the
                                           oldest message that is left, behind the
                                           message with this id, or with the first
                                           of this time or later
      -n, --count N                        end after N messages, with exit code 0
          --timeout TIME                   end when nothing arrived for this long,
                                           with exit code 4
          --policy dropping|back-pressure  when this subscriber is too slow, it
                                           loses messages and is told so (the
                                           default), or publishers wait for it
          --back-pressure-timeout TIME     how long one publish waits at most for
                                           this subscriber; without it as long as it
                                           lives
          --read-only                      let the kernel see to it that nothing is
                                           written into shared memory
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
          --transport shm|file|mirror      shared memory (the default), one durable
                                           file per topic, or shared memory with the
                                           files as its mirror [environment:
                                           BUS_TRANSPORT]
          --poll-interval TIME             how often files are looked at where the
                                           system cannot tell of changes; default
                                           100ms [environment: BUS_POLL_INTERVAL]
          --poll-max-interval TIME         the same after a while without changes;
                                           default 1s [environment:
                                           BUS_POLL_MAX_INTERVAL]
          --bus-dir DIR                    the bus directory [environment: BUS_DIR]
          --group GROUP                    share the bus with the members of a
                                           group, by its name or gid: they are
                                           trusted [environment: BUS_GROUP]
          --mode 0600|0660                 whether the bus is one user's (0600) or a
                                           group's (0660, the default with a group)
                                           [environment: BUS_MODE]
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

  static let replay = #"""
    conclave bus replay - print a stretch of history, or publish it anew

    Usage: conclave bus replay [PREFIX] [options]

    Reads the topic files, which --transport file and mirror write, and bus mirror.
    Messages come in their order on the bus, one JSON object a line as from bus
    subscribe; what is published meanwhile is not among them.

    With --republish each message is published again, as a new one: sender, type,
    payload and topic are the same, or with --prefix below another one; id, number
    and time are new. Ends by saying how many there were: on standard error, or
    with --json as {"republished":N}.

    Times are written like 2026-11-21T09:05:00Z, or -10m for ten minutes ago. Ends
    with exit code 3 when there are no topic files, or no message with such an id.

    Arguments:
      PREFIX  a topic, with all below it; all without it

    Options:
          --from beginning|ID|TIME           where to begin: with the first message
                                             (the default), behind the message with
                                             this id, or with the first of this time
                                             or later
          --to ID|TIME                       where to end: with the message with
                                             this id, or the last of this time or
                                             earlier; by default where the files end
                                             when the command begins
          --topic TOPIC                      only this topic, without those below it
          --speed X|max                      1 for the pace at which the messages
                                             were published, 2 for twice as fast; as
                                             fast as possible by default
          --republish                        publish the messages anew instead of
                                             printing them
          --prefix TOPIC                     with --republish, put this and a dot
                                             before each topic
          --durability ring|mirrored|synced  what must be true before a publish is
                                             acknowledged: the message is on the bus
                                             (the default), in its topic's file, or
                                             on the disk; makes mirror the default
                                             transport
          --transport shm|file|mirror        with --republish, where to; mirror by
                                             default [environment: BUS_TRANSPORT]
          --bus-dir DIR                      the bus directory [environment:
                                             BUS_DIR]
          --group GROUP                      share the bus with the members of a
                                             group, by its name or gid: they are
                                             trusted [environment: BUS_GROUP]
          --mode 0600|0660                   whether the bus is one user's (0600) or
                                             a group's (0660, the default with a
                                             group) [environment: BUS_MODE]
          --json                             print JSON, and errors as
                                             {"error":{code,message,hint}}
      -h, --help                             show this help and exit

    Examples:
      # what was said in the last ten minutes
      conclave bus replay --from -10m

      # once more, twice as fast, beside the original
      conclave bus replay build --republish --prefix again --speed 2

    """#

  static let mirror = #"""
    conclave bus mirror - copy everything that is published into the topic files

    Usage: conclave bus mirror [options]

    Runs until SIGINT or SIGTERM, and copies what was published by then before it
    ends. Whoever opens the bus with --transport mirror may become the mirror as
    well; this command sees to it that there always is one. Of several one is the
    mirror and the others wait for its end, however it ends: nothing is missing
    then, and nothing is copied twice.

    Says on standard error which it is, and how far it is when that is a terminal.
    With --json it prints a line on standard output when that changes, and once a
    second: the role (waiting, mirror or ended), the position of the ring, and of
    the mirror what bus status --json says.

    With --retention it puts long topic files aside and removes the oldest that
    exceed a limit, as bus compact does, about once a second. It does so from its
    start to its end, also while another process is the mirror; of several such
    commands the limits of each hold. --sync-interval, --when-failing and --patience
    hold while it is the mirror; until then it says that they do not, with --json
    as optionsInForce and optionsWaiting.

    When the bus directory is moved or removed, it says so, writes nothing, and
    goes on when it is back. Ends with exit code 5 when another bus is mirrored into
    the directory, or when this bus is mirrored into one that was moved.

    Options:
          --when-failing block|fail|continue  what becomes of what it cannot write
                                              when room gets short: block (the
                                              default), it is held, and publishers
                                              wait once the ring is full; continue,
                                              it is given up, so that they go on,
                                              and is missing in the files; fail is
                                              the same as block, since a publisher
                                              that is to fail says so itself
          --sync-interval TIME                force the files to the disk so often,
                                              also when nobody asks for it; never by
                                              default
          --patience TIME                     how long a publisher that does not say
                                              so itself waits at most for room that
                                              this mirror has to make; default 10s
          --retention LIMITS                  what to keep of each topic:
                                              age=7d,size=1GiB,count=1000000, one or
                                              more of them; default: everything
          --retention-topic PREFIX            with --retention: only this topic and
                                              those below it have the limits
          --bus-dir DIR                       the bus directory [environment:
                                              BUS_DIR]
          --group GROUP                       share the bus with the members of a
                                              group, by its name or gid: they are
                                              trusted [environment: BUS_GROUP]
          --mode 0600|0660                    whether the bus is one user's (0600)
                                              or a group's (0660, the default with a
                                              group) [environment: BUS_MODE]
          --json                              print JSON, and errors as
                                              {"error":{code,message,hint}}
      -h, --help                              show this help and exit

    Examples:
      # keep everything from now on
      conclave bus mirror

      # lose at most a second of it in a power cut
      conclave bus mirror --sync-interval 1s

      # keep the last week
      conclave bus mirror --retention age=7d

    """#
}
