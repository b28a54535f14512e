import ConclaveBus

/// The run that began last in a repository, as its journal tells of it.
struct FleetLast {
  let folder: FleetRunFolder
  let ledger: FleetLedger

  /// nil when none was begun.
  ///
  /// - Throws: `corrupt` for a journal that nobody can go on with.
  init?(_ folder: FleetFolder) throws(BusError) {
    guard let latest = try folder.latest() else { return nil }
    self.folder = latest
    ledger = FleetLedger(try FleetJournal.read(latest.journalFile))
  }

  /// Whether its work is still to be done, or to be kept.
  var isOpen: Bool { ledger.identity != nil && !ledger.isOver }

  /// - Throws: `busy` when somebody has to decide what becomes of it.
  func requireOver() throws(BusError) {
    guard isOpen else { return }
    let open = ledger.tasks.filter { !$0.value.isSettled }.keys.sorted()
    let words =
      open.isEmpty ? "" : ", at work on task \(open.map(String.init).joined(separator: ", "))"
    throw BusError(
      .busy, "the run \(folder.name) is not over: it was \(ledger.end ?? "killed")\(words)",
      hint: "go on with --resume, or begin anew with --fresh, which keeps its work on branches")
  }
}

extension FleetLedger {
  /// Whether nobody needs to go on with the run.
  var isOver: Bool { ["completed", "failed", "abandoned"].contains(end) }
}
