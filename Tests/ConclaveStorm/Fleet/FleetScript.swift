/// The shell scripts of a ``FleetWorld``.
enum FleetScript {
  /// Makes everything. The plan: two tasks that collide, and two that wait for one of them each.
  static let repository = #"""
    cat > ../plan.md << 'END'
    ## Task 1: One
    Add a line to the file work.
    **Dependencies:** None

    ## Task 2: Two
    Add a line to the file work, too.
    **Dependencies:** None

    ## Task 3: Three
    Make many files.
    **Dependencies:** Task 1

    ## Task 4: Four
    Move a file.
    **Dependencies:** Task 2
    END
    cat > ../agent.json << 'END'
    {"command": ["/bin/sh", "-c", ". \"$CONCLAVE_STORM_HOME/agent.sh\""]}
    END
    cat > ../agent.sh << 'END'
    \#(agent)
    END
    git init -q -b feature .
    git config user.name Storm
    git config user.email storm@localhost
    printf '%s\n' '*.o' /build > .gitignore
    echo begin > work
    echo mine > mine
    echo old > old
    echo '[ ! -e half ]' > test.sh
    git add -A
    git commit -q -m first
    \#(users)
    """#

  /// Leaves half of its work, and processes, if it is killed at the wrong moment, and processes
  /// also if not: one in a session of its own, one without any mark, and one that is deaf.
  private static let agent = #"""
    cat > /dev/null
    home=$CONCLAVE_STORM_HOME
    task=$CONCLAVE_PARALLEL_TASK
    echo half > half
    case $task in
    task-1) (setsid sleep 1000 &);;
    task-2) [ -e "$home/tame" ] || (setsid env -i /bin/sh -c 'sleep 1000; :' "$home/daemon" &);;
    task-3) [ ! -e "$home/deaf" ] ||
      (setsid /bin/sh -c 'trap "" TERM; while :; do sleep 1; done' "$home/deaf" &);;
    esac
    sleep 0.02
    case $task in
    task-1|task-2) grep -q $task work || echo $task >> work;;
    task-3) mkdir -p many; for n in 0 1 2 3 4 5 6 7 8 9; do
        for m in a b c d e f; do echo "$n $m" > "many/ü $m$n"; done; done;;
    *) [ ! -e old ] || mv old new;;
    esac
    rm half
    """#

  /// What is not committed, some of it where the command has its own things.
  private static let users = #"""
    mkdir drafts build .conclave
    echo "a draft" > "drafts/one ü"
    printf 'no line feed' > drafts/two
    chmod 600 drafts/two
    ln -s ../work drafts/link
    echo object > build/x.o
    echo object > y.o
    echo '#!/bin/sh' > .conclave/setup
    echo 'echo made > made.o; sleep 0.01' >> .conclave/setup
    chmod 755 .conclave/setup
    echo note > .conclave/note
    """#

  static let usersFiles = [
    "drafts/one ü", "drafts/two", "drafts/link", "build/x.o", "y.o", ".conclave/setup",
    ".conclave/note",
  ]

  /// Between a kill and the next run the user goes on with a file that no task needs, and with one
  /// that is to be committed.
  static let edit = "echo edited >> mine; echo added > added; git add added; echo more >> added"
  static let editedFiles = ["mine", "added"]

  /// What there is, in parts; see ``FleetPicture``. A git that was killed may have left what keeps
  /// the next one from naming any worktree.
  static let picture = #"""
    part() { echo "==$1"; }
    part tree; git rev-parse 'feature^{tree}'
    part subjects; git log --format=%s feature | sort
    part branches; git for-each-ref --format='%(refname:lstrip=2)' refs/heads
    trees() { git worktree list --porcelain 2> ../refused ||
      { echo 'worktree .'; ls .git/worktrees | sed 's/^/worktree /'; }; }
    part worktrees; trees | grep '^worktree ' | tail -n +2
    part status; git status --porcelain --ignored --untracked-files=all --no-renames |
      grep -v -e ' \.worktrees/' -e ' \.conclave/'
    part locks; find .git \( -name '*.lock' -o -name '*.tmp' \)
    find .conclave \( -name '*.lock' -o -name '*.tmp' \) ! -name .lock ! -path '*/archive/*'
    part folders; find . -maxdepth 1 -name .worktrees; find .conclave -name 'wave-*' \
      ! -path '*/archive/*' -type d; find .git -maxdepth 1 -name worktrees
    """#
}
