import ConclaveBus
import Glibc

/// Moves a branch forward together with the worktree in which it is checked out, wherever that is:
/// completely, or not at all.
struct BranchAdvance {
  enum Outcome: Hashable, Sendable {
    case done
    /// Somebody else has moved the branch: it is here now.
    case moved(to: String)
    /// Nothing was changed, since files that are not committed are in the way, or something is
    /// under way: git's own words.
    case refused(String)
    /// Git could not go on, and what it had changed is put back.
    case failed(BusError)
    /// Git was killed by this signal, and what it had changed is put back.
    case killed(Int32)
    /// Git did not end it, and not everything could be put back yet: ``CheckoutRepair`` has to be
    /// done once more.
    case torn(BusError)
  }

  /// In any worktree of the repository.
  let git: GitCommand
  /// Without `refs/heads/`.
  let branch: String
  /// A path for a ``CheckoutMemo``.
  let memo: String

  /// - Throws: `notFound` when there is no such branch any more.
  var head: String {
    get throws(BusError) {
      if let head = try tip { return head }
      throw BusError(
        .notFound, "the branch \(branch) is gone, which gets the work",
        hint: "name it so again (git branch -m), or make it anew (git branch \(branch) COMMIT), "
          + "and go on with --resume")
    }
  }

  /// Where the branch is; nil when there is none.
  var tip: String? {
    get throws(BusError) {
      try git.ask(["rev-parse", "--quiet", "--verify", "refs/heads/\(branch)^{commit}"])
    }
  }

  /// Writes down what ``CheckoutRepair`` has to know should git not end. Call it before anything
  /// says that the branch is about to move.
  ///
  /// - Throws: `noSpace`, `permissionDenied`, `system`, with nothing changed.
  func prepare(from old: String, to new: String) throws(BusError) {
    guard let worktree = try checkout() else { return }
    try CheckoutMemo(git.elsewhere(worktree), from: old, to: new, scratch: "\(memo).index")
      .write(to: memo)
  }

  /// - Throws: what git could not say of the repository before it changed anything.
  func advance(from old: String, to new: String) throws(BusError) -> Outcome {
    for attempt in 1...300 {
      let now = try head
      if now == new {
        CheckoutMemo.remove(memo)
        return .done
      }
      guard now == old else { return .moved(to: now) }
      guard let worktree = try checkout() else {
        if let place = try BranchRebase.worktree(of: branch, git) {
          return .refused(
            "a rebase of \(branch) is under way in \(shown(place)): finish it (git rebase "
              + "--continue), or abort it (--abort)")
        }
        let moved = try git.run(["update-ref", "refs/heads/\(branch)", new, old])
        if moved.succeeded { return .done }
        continue
      }
      // The checkout may be another one after a while.
      let prepared = try CheckoutMemo(memo, from: old, to: new)
      if attempt > 1 || prepared == nil { try prepare(from: old, to: new) }
      let result = try fastForward(worktree, new)
      if result.succeeded {
        // Whatever git has done instead, it would do again.
        guard try head != old else {
          return .refused("git merge --ff-only has ended well, and has not moved the branch")
        }
        continue
      }
      let words = result.errors.text
      // Somebody else's git is at work in there just now.
      if words.contains("index.lock"), words.contains("File exists"), attempt < 300 {
        usleep(100_000)
        continue
      }
      if try head == old { return putBack(from: old, to: new, result) }
    }
    return .moved(to: try head)
  }

  /// What a git that has failed leaves is put back: it looks before it begins whether anything is
  /// in the way, but not whether it can write, and then stops wherever it is.
  private func putBack(
    from old: String, to new: String, _ result: ChildResult
  ) -> Outcome {
    // Before: what is put back makes room.
    let error = git.hindrance(["merge"], result)
    let done: [String]
    do throws(BusError) {
      done = try CheckoutRepair(git, branch: branch, memo: memo).repair(from: old, to: new)
    } catch {
      return .torn(error)
    }
    if case .signal(let number) = result.exit { return .killed(number) }
    let words = String(result.errors.text.trimmed)
    let isRefusal = done.isEmpty && !error.isCommon && !words.isEmpty
    return isRefusal ? .refused(words) : .failed(error)
  }

  /// One step of one program: it looks first whether anything would be overwritten, and moves the
  /// branch last.
  private func fastForward(
    _ worktree: String, _ new: String
  ) throws(BusError) -> ChildResult {
    // What the user has chosen for merges by hand could make it another kind of merge.
    let there = try git.elsewhere(worktree).configured("branch.\(branch).mergeOptions", "")
    return try there.run([
      "-c", "merge.autoStash=false", "-c", "submodule.recurse=false",
      "-c", "merge.verifySignatures=false", "merge", "--quiet", "--no-stat", "--ff-only",
      "--no-overwrite-ignore", new,
    ])
  }

  /// The worktree that has the branch checked out, or nil.
  func checkout() throws(BusError) -> String? {
    try GitWorktrees.list(git).first { $0.branch == branch }?.path
  }
}
