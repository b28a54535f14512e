import ConclaveBus
import Glibc

/// What runs of plans have left in a repository.
struct FleetRemains {
  private let git: GitCommand
  private let folder: FleetFolder
  /// The run that began last, and what it has done.
  private let last: (folder: FleetRunFolder, ledger: FleetLedger)?
  /// Whether a run is at work now.
  let isHeld: Bool

  /// - Throws: `corrupt`, naming the line, for a journal that no run has written.
  init(_ git: GitCommand) throws(BusError) {
    self.git = git
    folder = try FleetFolder(git)
    isHeld = FileLock.isHeld(folder.lockFile)
    guard let run = try folder.latest() else {
      last = nil
      return
    }
    last = (run, FleetLedger(try FleetJournal.read(run.journalFile)))
  }

  func find() throws(BusError) -> [Remains] {
    if isHeld {
      let owner = FileLock.owner(folder.lockFile)
      let name = last.map { " \($0.folder.name)" } ?? ""
      return [
        Remains(
          .run, .good, "process \(owner.map(String.init) ?? "?") carries out the run\(name)",
          processes: owner.flatMap { Int32(exactly: $0) }.map { [$0] } ?? [])
      ]
    }
    return try [processes, review].compactMap { $0 } + lastRun() + strays()
  }

  // MARK: Processes

  /// Those that a dead run has left.
  var orphans: [ProcessEntry] {
    isHeld ? [] : ProcessFamily.orphans(marked: [folder.memberMark, folder.gitMark])
  }

  var processes: Remains? {
    let orphans = orphans
    guard !orphans.isEmpty else { return nil }
    let count = counted(orphans.count, "process", "processes")
    let folder = folder
    return Remains(
      .processes, .leftover, "\(count) of a run that was killed: \(named(orphans))",
      hint: "the next run ends them", processes: orphans.map(\.pid)
    ) { () throws(BusError) -> String in
      let lock = try folder.lock()
      defer { withExtendedLifetime(lock) {} }
      let count = try folder.endOthers()
      return "ended \(counted(count, "process", "processes"))"
    }
  }

  // MARK: Worktrees that git cannot name

  /// What git was killed over: nil when there is nothing of that, or a run is at work that may be
  /// about to write it.
  func torn() throws(BusError) -> Remains? {
    let torn = try TornWorktrees(git)
    guard !isHeld, !torn.folders.isEmpty else { return nil }
    let folder = folder
    let git = git
    let words = torn.folders.joined(separator: ", ")
    return Remains(
      .worktree, .leftover,
      "git was killed while it wrote \(words), and may refuse to name any branch or worktree",
      hint: "the next run mends it: conclave parallel-run --resume if it is to go on"
    ) { () throws(BusError) -> String in
      let lock = try folder.lock()
      _ = try folder.endOthers()
      try TornWorktrees(git).mend()
      withExtendedLifetime(lock) {}
      return "mended \(words)"
    }
  }

  // MARK: Reviewers

  private var review: Remains? {
    guard isThere(folder.reviewFolder) else { return nil }
    let folder = folder
    return Remains(
      .worktree, .leftover, "\(folder.reviewFolder) is of a review that was killed",
      hint: "the next run removes it"
    ) { () throws(BusError) -> String in
      let lock = try folder.lock()
      defer { withExtendedLifetime(lock) {} }
      _ = try folder.endOthers()
      if let left = folder.removeReviewFolder() { return "\(left) stays" }
      return "removed \(folder.reviewFolder)"
    }
  }

  // MARK: The last run

  private func lastRun() throws(BusError) -> [Remains] {
    guard let (run, ledger) = last, let identity = ledger.identity else { return [] }
    if !ledger.isOver, let words = identity.lostPlace(git) {
      return [
        Remains(
          .run, .leftover, "the run \(run.name) \(words)",
          hint: "begin anew with conclave parallel-run --fresh, which keeps its work on branches")
      ]
    }
    let site = try FleetSite.clearing(identity, git, git.environment)
    return try FleetRunRemains(site: site, run: run, ledger: ledger).find()
  }

  // MARK: Others

  /// Worktrees of tasks that are not the last run's.
  private func strays() throws(BusError) -> [Remains] {
    let known = try last.map { run throws(BusError) in try taskBranches(run.folder) } ?? []
    return try GitWorktrees.list(git).filter { entry in
      guard let branch = entry.branch, branch.hasPrefix("task/"), !known.contains(branch) else {
        return false
      }
      return entry.path.hasSuffix("/\(branch.replacing("/", with: "-"))")
    }.map { entry in
      let branch = entry.branch ?? ""
      return Remains(
        .worktree, .leftover, "\(entry.path), on \(branch), is of a run that nobody remembers",
        hint: "look at it, then git worktree remove --force it, and git branch -D \(branch)")
    }
  }

  private func taskBranches(_ run: FleetRunFolder) throws(BusError) -> [String] {
    let plan = try? Plan(DurableFile.read(run.planFile) ?? [])
    return plan?.tasks.map(\.branchName) ?? []
  }
}
