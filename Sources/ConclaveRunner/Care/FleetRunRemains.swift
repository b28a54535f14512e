import ConclaveBus
import Glibc

/// What the run has left that began last.
struct FleetRunRemains {
  let site: FleetSite
  let run: FleetRunFolder
  let ledger: FleetLedger

  func find() throws(BusError) -> [Remains] {
    let plan = try? Plan(DurableFile.read(run.planFile) ?? [])
    let tasks = plan?.tasks ?? []
    var found = try [merge(), plan.flatMap(locks), gate()].compactMap { $0 }
    var kept: [TaskPlace] = []
    for task in tasks where ledger[task.id].attempt > 0 {
      let place = TaskPlace(
        task, base: ledger[task.id].base, worktrees: site.worktrees, logs: run.path)
      guard try site.worktree(place).hasRemains() else {
        if let files = unremoved(place.worktree) { found.append(files) }
        continue
      }
      if ledger.isOver {
        found.append(forgotten(place))
      } else if ledger[task.id].mayHaveWorktree {
        kept.append(place)
      } else {
        found.append(done(place))
      }
    }
    return ledger.isOver ? found : found + [resumable(kept)]
  }

  /// Last of all, since it stays.
  private func resumable(_ kept: [TaskPlace]) -> Remains {
    let places = kept.map { "\($0.worktree) (\($0.branch))" }.joined(separator: ", ")
    let words = kept.isEmpty ? "" : "; its work so far is in \(places)"
    return Remains(
      .run, ledger.end == nil ? .leftover : .note,
      "the run \(run.name) into \(site.branch) was \(ledger.end ?? "killed")\(words)",
      hint: "go on with conclave parallel-run --resume, or begin anew with --fresh, which keeps "
        + "its work on branches")
  }

  // MARK: What the next run would clear

  /// Does it as the next run would: alone.
  private func alone<R>(_ work: () throws(BusError) -> R) throws(BusError) -> R {
    let lock = try site.folder.lock()
    defer { withExtendedLifetime(lock) {} }
    _ = try site.folder.endOthers()
    return try work()
  }

  /// The checkout, when git did not end moving it.
  private func merge() throws(BusError) -> Remains? {
    guard let merge = ledger.publishing else { return nil }
    guard let damage = try site.checkoutRepair.find(from: merge.old, to: merge.new) else {
      return nil
    }
    let signs = [
      damage.lock, damage.files > 0 ? "\(counted(damage.files, "file")) of the checkout" : nil,
    ].compactMap { $0 }
    return Remains(
      .merge, .leftover,
      "the move of \(site.branch) to \(merge.new.prefix(12)) was cut off: "
        + signs.joined(separator: ", "),
      hint: "the next run puts the checkout back, and leaves alone what is somebody else's work"
    ) { () throws(BusError) -> String in
      try alone { () throws(BusError) -> String in
        try site.checkoutRepair.repair(from: merge.old, to: merge.new).joined(separator: "; ")
      }
    }
  }

  /// Of git commands that were killed with the run.
  private func locks(_ plan: Plan) -> Remains? {
    guard !ledger.isOver, let paths = try? site.refLocks(plan).find(), !paths.isEmpty else {
      return nil
    }
    return Remains(
      .lock, .leftover, "no git is at work that has made \(paths.joined(separator: ", "))",
      hint: "the next run removes them"
    ) { () throws(BusError) -> String in
      try alone { () throws(BusError) -> String in
        try site.refLocks(plan).remove().joined(separator: "; ")
      }
    }
  }

  /// Where merged work was tested.
  private func gate() throws(BusError) -> Remains? {
    let path = site.gateWorktree
    guard try GitWorktrees.has(path, site.git) else { return unremoved(path) }
    return Remains(
      .worktree, .leftover, "\(path), in which a run that was killed has tested what it merged",
      hint: "the next run removes it"
    ) { () throws(BusError) -> String in
      try alone { () throws(BusError) -> String in
        if let left = site.removeGateWorktree() { throw left }
        return "removed \(path)"
      }
    }
  }

  /// A task whose work is merged, or kept elsewhere.
  private func done(_ place: TaskPlace) -> Remains {
    let safe = ledger[place.task].safe
    return Remains(
      .worktree, .leftover,
      "\(place.worktree), on \(place.branch), whose work is elsewhere already",
      hint: "the next run removes both"
    ) { () throws(BusError) -> String in
      try alone { () throws(BusError) -> String in
        let kept = try site.clear(place, safe: safe)
        return "removed \(place.worktree) and \(place.branch)"
          + (kept.map { "; what was found there is kept on \($0)" } ?? "")
      }
    }
  }

  /// Files where a worktree of the run was, which git does not know any more.
  private func unremoved(_ path: String) -> Remains? {
    guard hasAnything(at: path) else { return nil }
    return Remains(
      .worktree, .leftover,
      "\(path) is no worktree any more: some of its files could not be removed",
      hint: "remove it by hand; it is in the way of the next run")
  }

  /// No run comes back to it.
  private func forgotten(_ place: TaskPlace) -> Remains {
    Remains(
      .worktree, .leftover,
      "\(place.worktree), on \(place.branch), has stayed behind the run \(run.name), which is over",
      hint: "look at it, then git worktree remove --force it, and git branch -D \(place.branch)")
  }
}
