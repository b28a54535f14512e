import ConclaveBus
import Glibc

/// The beginning and the end of one attempt at a task.
extension FleetRun {
  mutating func begin(
    _ id: Int, _ board: FleetBoardPlace?, _ crew: TaskCrew
  ) throws(BusError) {
    guard let task = graph.task(id) else { return }
    let entry = ledger[id]
    let resumes = [.running, .interrupted].contains(entry.status)
    let attempt = resumes ? entry.attempt : entry.attempt + 1
    let head = try site.advance.head
    let base = resumes ? entry.base : head
    // Before the worktree is made: what a kill leaves of it is this attempt's.
    try record(.started(task: id, attempt: attempt, base: base))
    let place = place(task, base: base)
    do throws(BusError) {
      let brief = try TaskBrief.text(task, entry.conflict, head: base, site.git)
      let file = folder.taskFile(id, attempt: attempt)
      try DurableFile.write(Array(brief.utf8), to: file)
      let worktree = site.worktree(place)
      if !resumes {
        try worktree.make()
      } else if let kept = try worktree.makeAgain() {
        say(.note("what \(place.name) had outside of its branch is kept on \(kept)"))
      }
      say(.taskStarted(place, attempt: attempt, resumed: resumes))
      crew.start(
        TaskRun(
          site: site, options: options, place: place, attempt: attempt, taskFile: file,
          resumes: resumes, board: board, stop: stop, say: say))
    } catch {
      let result = TaskResult(
        task: id, attempt: attempt, error, "it could not be begun: \(error)")
      stopIfHindered(result)
      try record(.ended(result))
      say(.taskEnded(id, result.end, words: result.reason))
    }
  }

  mutating func take(_ result: TaskResult) throws(BusError) {
    guard let place = place(of: result.task) else { return }
    let worktree = site.worktree(place)
    var result = result
    stopIfHindered(result)
    var isKept = true
    if [.failed, .blocked].contains(result.end) {
      do throws(BusError) {
        let safe = result.kept.isEmpty ? [] : ["refs/heads/\(result.kept)"]
        result.kept = try worktree.keep(result.reason, safe: safe) ?? result.kept
      } catch {
        isKept = false
        say(.note("the work of \(place.name) stays in \(place.worktree): \(error.message)"))
      }
    }
    try record(.ended(result))
    say(.taskEnded(result.task, result.end, words: words(result)))
    do throws(BusError) {
      switch result.end {
      case .passed:
        // On its branch there is nothing but what has passed.
        if !worktree.isUsable, let kept = try worktree.keep("left aside", safe: [result.tip]) {
          say(.note("what \(place.name) had outside of its branch is kept on \(kept)"))
        }
        try worktree.removeWorktree()
      case .failed, .blocked: if isKept { try worktree.remove() }
      case .interrupted:
        // One that has tried is worth to go on with, even if it has nothing to show.
        if result.iterations <= 1, try !worktree.hasWork() { try worktree.remove() }
      }
    } catch { say(.note(error.message)) }
  }

  private func words(_ result: TaskResult) -> String {
    let kept = result.kept.isEmpty ? "" : "; the work is kept on \(result.kept)"
    return result.end == .passed
      ? counted(result.iterations, "iteration") : result.reason + kept
  }

  // MARK: What another process has left

  /// Brings what a process has left that was killed, or interrupted, to where the journal says that
  /// it is.
  mutating func recover() throws(BusError) {
    if let merge = ledger.publishing { try settle(merge) }
    if try GitWorktrees.has(site.gateWorktree, site.git), let left = site.removeGateWorktree() {
      say(.note(left.message))
    }
    for task in graph.plan.tasks {
      let entry = ledger[task.id]
      guard entry.attempt > 0, !entry.mayHaveWorktree, let place = place(of: task.id) else {
        continue
      }
      guard try site.worktree(place).hasRemains() else { continue }
      do throws(BusError) {
        // Merged, or kept on another branch, before this was recorded.
        try clear(place, safe: entry.safe)
        say(.note("removed what was left of \(place.name): \(place.worktree), \(place.branch)"))
      } catch { say(.note("\(place.worktree) stays: \(error.message)")) }
    }
  }

  /// See ``FleetSite/clear(_:safe:)``.
  func clear(_ place: TaskPlace, safe: [String]) throws(BusError) {
    if let kept = try site.clear(place, safe: safe) {
      say(.note("kept what was found on \(place.branch) as \(kept)"))
    }
  }

  /// The branch was about to be moved: was it?
  private mutating func settle(_ merge: FleetMerge) throws(BusError) {
    let head = try site.advance.head
    let result = try site.git.run(["merge-base", "--is-ancestor", merge.new, head])
    if result.succeeded {
      try record(.published(merge))
      for part in merge.own { say(.merged(part.task, commit: part.commit)) }
    } else {
      for line in try site.checkoutRepair.repair(from: merge.old, to: merge.new) {
        say(.note(line))
      }
      try record(.unpublished)
    }
  }
}
