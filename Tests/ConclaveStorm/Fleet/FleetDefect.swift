/// What a round would find if the command were wrong: planted into a world after the command has
/// done its work, to see that the judge notices it.
enum FleetDefect: String, CaseIterable {
  case leftProcess, changedFile, rewrittenFile, lostEdit, otherTree, mergedTwice, leftLock
  case leftWorktree, leftBranch, leftSegment, halfMerged, halfWritten, nameless

  /// Shell, run before the last look.
  var script: String {
    switch self {
    case .leftProcess: "setsid sleep 1000 > /dev/null 2>&1 < /dev/null &"
    case .changedFile: "echo more >> 'drafts/one ü'"
    case .rewrittenFile: "cp -p y.o z; mv z y.o"
    case .lostEdit: "git checkout -q -- mine"
    case .otherTree: "git commit -q --allow-empty -m x; echo x >> work; git commit -q --amend -am x"
    case .mergedTwice: "git commit -q --allow-empty -m 'Task 1: One'"
    case .leftLock: "echo > .git/refs/heads/feature.lock"
    case .leftWorktree: "git worktree add -q --detach ../other"
    case .leftBranch: "git branch task/9-other"
    case .leftSegment: "mkdir -p .conclave/bus/wave-9"
    case .halfMerged: "echo x >> work"
    case .halfWritten: "echo > .conclave/parallel/latest.1.tmp"
    case .nameless: ""
    }
  }

  /// What the judge must say, at least.
  var sign: String {
    switch self {
    case .leftProcess: "process"
    case .changedFile, .rewrittenFile, .lostEdit: "touched"
    case .otherTree: "another tree"
    case .mergedTwice: "commits"
    case .leftLock, .halfWritten: "locks"
    case .leftWorktree: "worktrees"
    case .leftBranch: "branches"
    case .leftSegment: "segments"
    case .halfMerged: "uncommitted"
    case .nameless: "does not name"
    }
  }
}
