/// What `--help` says of plans, whole.
extension HelpText {
  static let parallelRun = #"""
    conclave parallel-run - have agents work on the tasks of a plan, beside each other

    Usage: conclave parallel-run [options]

    A plan is Markdown with a section for each task:

      ## Task 2: Parse the options
      **Files:**
      - Create: `src/options.c`
      - Modify: `src/main.c:10-40`, `Makefile`
      - Test: `tests/options.c`

      **Dependencies:** Task 1

    or None, or Tasks 1, 2 and 4, or 1-4; remarks stand in parentheses. A wave is
    what can be done at the same time. Tasks that change the same files are put one
    behind the other, also without a dependency. Patterns, directories and names that
    differ in case count as the same; line numbers make no difference.

    Everything that is wrong with a plan is said at once, by line, with exit code 2.
    With --dry-run, what would hinder it in this repository is said behind it, on
    standard error, and gives the exit code.

    Each task is worked on by a ralph-run of its own, in a worktree of its own on a
    branch task/N-..., with a board for each wave. After a wave, what has passed is
    merged in plan order, one commit for each task; the tests run on the merged work,
    and only then the branch moves, and your checkout with it, or neither. A task
    that does not fit is done again with what the others have done. Work that fails
    is kept on branches wip/...; tasks that depend on it are skipped. Time limits,
    --max-iterations and --max-cost hold for each task alone.

    With --schedule eager nobody waits for a wave: a task begins as soon as all that
    it waits for is merged and a place is free. What has passed is merged as soon as
    the merge before is done, in plan order among what waits for that, so the order
    of commits depends on how long tasks take. All tasks share one board.

    SIGINT and SIGTERM end everything that runs; a second one at once. After that, and
    after a kill, --resume goes on where it was. Logs and the journal are in
    .conclave/parallel, what was said on the boards is in conclave bus archive.
    With --review agents look at what was merged, each alone in a clone of its own,
    and one of them sums it up; with --debate they reply to each other before. It
    takes answers of two different agents to be called a consensus. What is too large
    for a prompt, binary or generated is named instead of shown. All is kept as
    review.md beside the journal. The exit code is the run's, whatever a review comes
    to; one that is interrupted gives 130 or 143, and cannot be gone on with.
    What would meet every task, such as a full disk or an agent that nobody is logged
    in to, ends the run without losing any, and --resume goes on.
    Exit codes: 0 all tasks are merged, 1 some are not, 5 another run is at work or
    not over, or what is not committed is in the way of a merge, 7 nobody is logged in
    or something may not be done, 8 the disk is full.

    Options:
          --plan FILE                  the plan, in Markdown; - reads standard
                                       input; with --resume the one that was begun
          --dry-run                    show waves, order and what hinders the plan;
                                       change nothing
          --graph dot|text             with --dry-run: draw who waits for whom, as
                                       Graphviz or as text
          --demo                       try it: two tasks and a script as the agent,
                                       in a new repository in TMPDIR
          --schedule wave|eager        when tasks begin: with their wave (the
                                       default), or each as soon as all that it
                                       waits for is merged; a run goes on as it was
                                       begun [environment: PARALLEL_SCHEDULE]
          --assume-independent         let tasks that name no dependencies depend on
                                       nothing
          --worktree-dir DIR           where each task gets a worktree; default
                                       .worktrees [environment:
                                       PARALLEL_WORKTREE_DIR]
          --allow-protected            work on main or master, too
          --max-concurrent N           how many tasks are worked on at the same
                                       time; default 3 [environment:
                                       PARALLEL_MAX_CONCURRENT]
          --max-reruns N               how often a task is done again whose work
                                       cannot be merged; default 2 [environment:
                                       PARALLEL_MAX_CONFLICT_RERUNS]
          --setup-cmd LINE             a line of shell that prepares each worktree;
                                       default: .conclave/setup, or what the
                                       project's files suggest
          --no-setup                   prepare nothing
          --setup-timeout TIME         for each step that prepares; default 900s
          --no-gate                    merge without running the tests on the merged
                                       work
          --allow-unchanged            take a task for done that a reviewer finds
                                       done already
          --no-board                   let tasks tell each other nothing
          --no-radar                   do not look who changes the same files;
                                       without a board nobody looks
          --radar-interval TIME        how often to look; default 5s
          --review                     when all has ended, let agents review what
                                       was merged, and one of them sum it up
          --reviewers LIST             who reviews, joined by commas, named as for
                                       --agent; default: claude, codex and gemini as
                                       far as they are there, and the agent of
                                       --agent
          --review-timeout TIME        for each reviewer's answer, and for the
                                       synthesis; default 300s
          --debate                     with --review: let reviewers reply to each
                                       other before it is summed up
          --debate-rounds N            how often each replies, 1 (the default) or 2
                                       [environment: CONSENSUS_DEBATE_ROUNDS]
          --debate-timeout TIME        for each reply; default 60s [environment:
                                       CONSENSUS_DEBATE_TIMEOUT]
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
          --no-verify                  commit without the repository's hooks
          --board-limit N              how many notes besides the warnings an
                                       iteration is told; default 20 [environment:
                                       BUS_MAX_BOARD_INJECT]
          --transport shm|file|mirror  shared memory with the topic files as its
                                       mirror (mirror, the default), or one of them
                                       alone [environment: BUS_TRANSPORT]
          --resume                     go on with the run that was interrupted or
                                       killed
          --retry                      with --resume: try failed tasks again
          --fresh                      begin anew; work of a run that is not over is
                                       kept on branches wip/...
      -q, --quiet                      say nothing before the end
          --json                       print JSON, and errors as
                                       {"error":{code,message,hint}}
      -h, --help                       show this help and exit

    Examples:
      # see how it works, without an agent
      conclave parallel-run --demo

      # do it, four tasks at a time
      conclave parallel-run --plan plan.md --max-concurrent 4

      # have it reviewed, and the reviewers argue
      conclave parallel-run --plan plan.md --review --debate

      # go on after an interruption
      conclave parallel-run --resume

      # what would be done when?
      conclave parallel-run --plan plan.md --dry-run

      # a picture of it
      conclave parallel-run --plan plan.md --dry-run --graph dot | dot -Tsvg > plan.svg

    """#
}
