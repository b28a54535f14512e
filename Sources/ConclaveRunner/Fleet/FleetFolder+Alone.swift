import ConclaveBus

/// At most one run in a repository, and nobody at work whom another one has left.
extension FleetFolder {
  /// - Throws: `busy` while another process has it.
  func lock() throws(BusError) -> FileLock {
    if let lock = try FileLock(lockFile) { return lock }
    throw busy
  }

  /// What to say while a run is at work.
  var busy: BusError {
    let owner = FileLock.owner(lockFile).map { " (process \($0))" } ?? ""
    return BusError(
      .busy, "another plan is carried out in this repository\(owner)",
      hint: "wait for it, or end it with SIGINT")
  }

  /// Removes what runs that were killed had only half written. Call with the lock.
  func removeHalfWritten() {
    DurableFile.removeHalfWritten(in: path)
    if let run = try? latest() { DurableFile.removeHalfWritten(in: run.path) }
    removeReviewFolder()
  }

  /// - Returns: the first thing of it that stays, or nil. Call with the lock.
  @discardableResult
  func removeReviewFolder() -> String? { FolderRemoval.remove(reviewFolder) }

  /// Ends what a run that was killed has left at work. Its git commands are let finish. Call with
  /// the lock.
  ///
  /// - Returns: how many there were.
  /// - Throws: `busy` when a git command does not end.
  func endOthers() throws(BusError) -> Int {
    let busy = ProcessFamily.waitForOrphans(marked: gitMark, limit: .seconds(60))
    guard busy.isEmpty else {
      throw BusError(
        .busy,
        "git commands of a run that was killed are still at work: process "
          + busy.map(String.init).joined(separator: ", "),
        hint: "end them, or wait")
    }
    // Loops end by themselves when their run does; they know best what they have started.
    if let run = try? latest(),
      let process = FleetLedger((try? FleetJournal.read(run.journalFile)) ?? []).process
    {
      _ = ProcessFamily.waitForOrphans(
        marked: "\(FleetMark.parent)=\(process)", limit: .seconds(20))
    }
    return ProcessFamily.endOrphans(marked: memberMark, grace: .seconds(10))
  }
}
