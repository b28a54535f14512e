public import ConclaveBus
import Glibc

/// How a run begins, or goes on: alone in its repository, with what another one has left named and
/// cleared away.
struct FleetStart {
  let site: FleetSite
  let folder: FleetRunFolder
  let journal: FleetJournal
  let lock: FileLock
  let ledger: FleetLedger

  init(
    _ options: FleetOptions, _ say: @escaping @Sendable (FleetEvent) -> Void
  ) throws(BusError) {
    let here = try FleetSite(options)
    try here.make()
    lock = try here.folder.lock()
    let count = try here.folder.endOthers()
    if count > 0 {
      say(.note("ended \(counted(count, "process", "processes")) that a killed run had left"))
    }
    here.folder.removeHalfWritten()
    try TornWorktrees(here.git).mend()
    for note in options.board.clear() { say(.note(note)) }
    let opening = FleetOpening(options: options, site: here, say: say)
    switch options.beginning {
    case .resume(let retry):
      (site, folder, journal, ledger) = try opening.resumed(retry: retry)
    case .usual, .fresh:
      try opening.settleLast()
      (site, folder, journal, ledger) = try opening.new()
    }
  }
}

/// What a journal is opened for.
private struct FleetOpening {
  typealias Opened = (FleetSite, FleetRunFolder, FleetJournal, FleetLedger)

  let options: FleetOptions
  let site: FleetSite
  let say: @Sendable (FleetEvent) -> Void

  func new() throws(BusError) -> Opened {
    try FleetNames(git: site.git, tasks: options.graph.plan.tasks).requireBranches()
    let name = SessionName.new()
    let folder = try site.folder.begin(name, plan: options.planText)
    let journal = try FleetJournal(folder.journalFile)
    let record = FleetRecord.began(
      FleetIdentity(
        run: name.text, process: Int(getpid()), top: site.top, branch: site.branch,
        base: try site.advance.head, worktrees: site.worktrees, arguments: options.arguments,
        schedule: options.schedule ?? .wave))
    try journal.append(record)
    try site.folder.setLatest(name)
    return (site, folder, journal, FleetLedger([record]))
  }

  func resumed(retry: Bool) throws(BusError) -> Opened {
    guard let last = try FleetLast(site.folder), let identity = last.ledger.identity else {
      throw BusError(
        .notFound, "no plan was begun in this repository", hint: "begin one without --resume")
    }
    let folder = last.folder
    var ledger = last.ledger
    guard try DurableFile.read(folder.planFile) == options.planText else {
      throw BusError(
        .busy, "the plan is not the one that the run \(folder.name) was begun with",
        hint: "name no plan to go on with that one, or begin anew with --fresh")
    }
    if let schedule = options.schedule, schedule != identity.schedule {
      throw BusError(
        .busy, "the run \(folder.name) was begun with --schedule \(identity.schedule.rawValue)",
        hint: "leave --schedule out to go on as it was begun, or begin anew with --fresh")
    }
    let lost = options.graph.plan.tasks.map(\.id).filter { ledger[$0].isLost }
    guard !ledger.isOver || (retry && !lost.isEmpty) else {
      throw BusError(
        .notFound, "the run \(folder.name) is over",
        hint: lost.isEmpty
          ? "begin another one" : "try its failed tasks again with --resume --retry")
    }
    try identity.requirePlace(site.git)
    let begun = try FleetSite(identity, options.environment)
    _ = try begun.advance.head
    // The one that was removed when the run ended may have been the last one.
    try GitWorktrees.prune(begun.git)
    try unlock(begun, options.graph.plan)
    let journal = try FleetJournal(folder.journalFile)
    var records = [FleetRecord.resumed(process: Int(getpid()))]
    if retry { records += lost.map { .retried(task: $0) } }
    for record in records {
      try journal.append(record)
      ledger.apply(record)
    }
    return (begun, folder, journal, ledger)
  }

  /// Sees to it that the last run is over.
  func settleLast() throws(BusError) {
    do throws(BusError) {
      guard let last = try FleetLast(site.folder), last.isOpen else { return }
      guard options.beginning == .fresh else { return try last.requireOver() }
      try abandon(last.ledger, last.folder)
    } catch  where options.beginning == .fresh && error.code == .corrupt {
      guard let folder = try site.folder.latest() else { return }
      say(.note(error.message))
      let ledger = FleetLedger(try FleetJournal.salvage(folder.journalFile))
      try abandon(ledger, folder, isDamaged: true)
    }
  }

  /// Keeps the work of a run that nobody goes on with, and clears its worktrees away.
  ///
  /// - Parameter isDamaged: whether the journal may not tell of all that was begun.
  private func abandon(
    _ ledger: FleetLedger, _ folder: FleetRunFolder, isDamaged: Bool = false
  ) throws(BusError) {
    var old = site
    if let identity = ledger.identity {
      old = try FleetSite.clearing(identity, site.git, options.environment)
    }
    if let merge = ledger.publishing {
      for line in try old.checkoutRepair.repair(from: merge.old, to: merge.new) {
        say(.note(line))
      }
    }
    let plan = try? Plan(DurableFile.read(folder.planFile) ?? [])
    if let plan { try unlock(old, plan) }
    for task in plan?.tasks ?? [] where ledger[task.id].attempt > 0 || isDamaged {
      let place = TaskPlace(
        task, base: try base(of: task, ledger, old), worktrees: old.worktrees, logs: folder.path)
      let worktree = old.worktree(place)
      guard try worktree.hasRemains() else { continue }
      try worktree.find()
      do throws(BusError) {
        let kept = try worktree.keep(
          "abandoned with the run \(folder.name)", safe: ledger[task.id].safe)
        if let kept { say(.note("the work of \(place.name) is kept on \(kept)")) }
        try worktree.remove()
        say(.note("removed \(place.worktree) of the run \(folder.name)"))
      } catch { say(.note("\(place.worktree) stays: \(error.message)")) }
    }
    if let left = old.removeGateWorktree() { say(.note(left.message)) }
    try GitWorktrees.prune(old.git)
    try FleetJournal(folder.journalFile).append(.runEnded("abandoned"))
  }

  /// A git that was killed leaves them, which also happens when a run ends in order: of loops that
  /// do not end in time, git commands are killed.
  private func unlock(_ site: FleetSite, _ plan: Plan) throws(BusError) {
    for line in try site.refLocks(plan).remove() { say(.note(line)) }
  }

  /// Where the task's branch began, by the journal or by what the two branches share.
  private func base(
    of task: PlanTask, _ ledger: FleetLedger, _ old: FleetSite
  ) throws(BusError) -> String {
    guard ledger[task.id].base.isEmpty else { return ledger[task.id].base }
    let shared = try old.git.run([
      "merge-base", "refs/heads/\(old.branch)", "refs/heads/\(task.branchName)",
    ])
    return shared.succeeded ? String(shared.output.text.trimmed) : ""
  }
}

extension FleetRun {
  /// What the run that began last in this repository was begun with, so that it can go on without
  /// being told again; nil when there is none.
  ///
  /// - Throws: `notFound` outside of a repository, `corrupt`.
  public static func last(
    in directory: String, environment: [String: String] = ProcessEnvironment.inherited()
  ) throws(BusError) -> (run: String, plan: [UInt8], arguments: [String])? {
    let git = try GitCommand(in: directory, environment: environment)
    guard let last = try FleetLast(FleetFolder(git)), let identity = last.ledger.identity,
      let plan = try DurableFile.read(last.folder.planFile)
    else { return nil }
    return (last.folder.name.text, plan, identity.arguments)
  }
}
