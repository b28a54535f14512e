import ConclaveBus
import Glibc

/// What loops have left in the worktrees of a repository. Those of a run's tasks are the run's.
struct LoopRemains {
  private let git: GitCommand
  private let fleet: FleetRemains

  init(_ git: GitCommand, besides fleet: FleetRemains) {
    self.git = git
    self.fleet = fleet
  }

  func find() throws(BusError) -> [Remains] {
    let known = Set(fleet.orphans.map(\.pid))
    var found: [Remains] = []
    for entry in try GitWorktrees.list(git) {
      let orphans = ProcessFamily.orphans(
        marked: ["\(ProcessFamily.worktreeName)=\(entry.path)"]
      ).filter { !known.contains($0.pid) }
      // Without its lock no loop was ever there.
      guard isThere("\(entry.path)/.ralph.lock"), let there = try? git.elsewhere(entry.path),
        let folder = try there.ask(["rev-parse", "--absolute-git-dir"])
      else { continue }
      let place = LoopPlace(top: entry.path, gitDirectory: folder)
      guard !FileLock.isHeld(place.lockFile) else { continue }
      found += [processes(orphans, place), snapshotLock(place)].compactMap { $0 }
      let isTask = entry.branch?.hasPrefix("task/") == true
      if !isTask, let loop = try unfinished(place) { found.append(loop) }
    }
    return found
  }

  private func processes(_ orphans: [ProcessEntry], _ place: LoopPlace) -> Remains? {
    guard !orphans.isEmpty else { return nil }
    let count = counted(orphans.count, "process", "processes")
    return Remains(
      .processes, .leftover,
      "\(count) of a loop in \(place.top) that was killed: \(named(orphans))",
      hint: "the next loop there ends them", processes: orphans.map(\.pid)
    ) { () throws(BusError) -> String in
      let lock = try LoopLock.take(place)
      defer { withExtendedLifetime(lock) {} }
      let count = ProcessFamily.endOrphans(ofWorktree: place.top, grace: .seconds(5))
      return "ended \(counted(count, "process", "processes"))"
    }
  }

  /// Of the index that snapshots of the work are made with.
  private func snapshotLock(_ place: LoopPlace) -> Remains? {
    let path = WorkSnapshot.lockFile(folder: place.folder)
    guard isThere(path) else { return nil }
    return Remains(
      .lock, .leftover, "\(path) was left by a loop that was killed",
      hint: "the next loop there removes it"
    ) { () throws(BusError) -> String in
      let lock = try LoopLock.take(place)
      defer { withExtendedLifetime(lock) {} }
      WorkSnapshot.removeStaleLock(folder: place.folder)
      return "removed \(path)"
    }
  }

  private func unfinished(_ place: LoopPlace) throws(BusError) -> Remains? {
    guard let state = try place.readState() else { return nil }
    let words: String
    switch state.status {
    case .running: words = "killed"
    case .interrupted, .stopped: words = state.status.rawValue
    case .passed, .failed, .blocked: return nil
    }
    return Remains(
      .loop, state.status == .running ? .leftover : .note,
      "the loop of task \(shown(state.taskID)) in \(place.top) was \(words) in iteration "
        + "\(state.iteration) of \(state.maxIterations)",
      hint: "go on there with conclave ralph-run --resume, or begin anew with --fresh")
  }
}
