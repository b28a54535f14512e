extension HelpText {
  static let doctor = #"""
    conclave doctor - look for what is wrong on this host or with this bus

    Usage: conclave doctor [options]

    Looks at shared memory, limits and the disk, sends one message through a bus of
    its own, and looks at the bus of this directory and at the segments of this user;
    in a git repository also at what parallel-run and ralph-run have left there: runs
    and loops that were killed and can be resumed, processes that they have left, and
    worktrees, locks and a half-finished move of the branch. Each finding says what
    to do.

    With --fix it removes segments whose bus directory is gone and whose messages are
    in files, archives what dead sessions have left, and ends and clears what the next
    run would; nothing that is in use, no message that is nowhere else, no work of a
    run that can be resumed, and nothing of yours.

    Ends with 0 when all is well, with 1 when there is something to look after, and
    with 6 when something does not work.

    Options:
          --fix             remove what is left over and nobody can use any more
          --bus-dir DIR     the bus directory [environment: BUS_DIR]
          --group GROUP     share the bus with the members of a group, by its name
                            or gid: they are trusted [environment: BUS_GROUP]
          --mode 0600|0660  whether the bus is one user's (0600) or a group's (0660,
                            the default with a group) [environment: BUS_MODE]
          --json            print JSON, and errors as {"error":{code,message,hint}}
      -h, --help            show this help and exit

    Examples:
      # why does it not work?
      conclave doctor

      # what is wrong, for a script
      conclave doctor --json | jq -r '.findings[] | select(.severity == "error").message'

    """#
}
