import ConclaveBus

/// Who of a wave begins when, and when what has passed is merged.
extension FleetRun {
  /// - Returns: why the run is to end, or nil to go on.
  mutating func runWave(_ wave: Int, _ ids: [Int]) throws(BusError) -> FleetOutcome.End? {
    if ledger.endedWaves.contains(wave), open(ids).isEmpty { return nil }
    if stop.reason != nil { return .interrupted }
    try skipLost(ids)
    guard !open(ids).isEmpty else { return nil }
    try record(.waveBegan(wave, head: try site.advance.head))
    let say = say
    let board = options.board.begin(folder.name, wave) { finding in
      say(.finding(sender: finding.sender, kind: finding.kind, text: finding.text))
    }
    say(.waveBegan(name(wave), tasks: open(ids), board: board))
    let end = try work(wave, ids, board)
    options.board.end()
    if let end { return end }
    try record(.waveEnded(wave))
    say(.waveEnded(name(wave)))
    return nil
  }

  /// What people are told of it: a run that has one wave for everything has none for them.
  func name(_ wave: Int) -> Int? { schedule == .wave ? wave : nil }

  private func open(_ ids: [Int]) -> [Int] { ids.filter { !ledger[$0].isSettled } }

  /// Has the tasks worked on as their turn comes, and merges them, until nothing is left to do.
  private mutating func work(
    _ wave: Int, _ ids: [Int], _ board: FleetBoardPlace?
  ) throws(BusError) -> FleetOutcome.End? {
    let gate = gate(wave)
    defer { if let left = gate.remove() { say(.note(left.message)) } }
    let crew = TaskCrew()
    var end: FleetOutcome.End?
    do throws(BusError) {
      while true {
        // Those under way are let end, whatever else happens.
        if end == nil {
          try fill(crew, ids, board)
          let passed = try mergeable(ids, crew)
          if !passed.isEmpty {
            end = try merge(wave, passed, gate)
            if let end { sayWhatIsAwaited(end, crew) }
            continue
          }
        }
        let results = crew.ended()
        for result in results { try take(result) }
        if results.isEmpty { return end ?? reason(ids) }
      }
    } catch {
      stop.stop(.terminate)
      while !crew.ended().isEmpty {}
      throw error
    }
  }

  /// Why nothing more can be done; nil when nothing is left to do.
  private func reason(_ ids: [Int]) -> FleetOutcome.End? {
    guard !open(ids).isEmpty else { return nil }
    return stop.reason == nil ? .stopped : .interrupted
  }

  private func sayWhatIsAwaited(_ end: FleetOutcome.End, _ crew: TaskCrew) {
    guard case .obstructed(let words) = end, crew.count > 0 else { return }
    let line = words.split(whereSeparator: \.isNewline).joined(separator: " ")
    say(.note("cannot move \(site.branch): \(line); the run ends when what is under way has ended"))
  }

  // MARK: Whose turn it is

  /// Begins tasks until every place is taken, or nobody else can begin.
  private mutating func fill(
    _ crew: TaskCrew, _ ids: [Int], _ board: FleetBoardPlace?
  ) throws(BusError) {
    while true {
      let turn = try skipLost(ids)
      guard crew.count < max(1, options.maxConcurrent), stop.reason == nil,
        let id = try next(ids.filter(Set(turn.ready).contains))
      else { return }
      begun.insert(id)
      try begin(id, board, crew)
    }
  }

  /// A task is not begun when one is lost that it depends on.
  @discardableResult
  private mutating func skipLost(_ ids: [Int]) throws(BusError) -> PlanTurn {
    let ledger = ledger
    let turn = PlanTurn(graph) { id in
      ledger[id].isLost ? .lost : ledger[id].isSettled ? .done : .open
    }
    let own = Set(ids)
    for (id, cause) in turn.lost where own.contains(id) {
      let isSkipped = self.ledger[cause].status == .skipped
      let reason = "task \(cause) \(isSkipped ? "was skipped" : "has not been done")"
      try record(.skipped(task: id, reason: reason))
      say(.skipped(id, reason: reason))
    }
    return turn
  }

  /// The first of those whose turn it is that can begin: everything but what this process has begun
  /// already, and what would only collide again with another one that is done again.
  private func next(_ ids: [Int]) throws(BusError) -> Int? {
    var taken: Set<String> = []
    for id in ids {
      let entry = ledger[id]
      let isUnderWay = begun.contains(id) && entry.status != .pending
      guard let note = entry.conflict else {
        if isUnderWay || entry.status == .passed { continue }
        return id
      }
      let files = try files(of: note)
      if !isUnderWay, entry.status != .passed, taken.isDisjoint(with: files) { return id }
      taken.formUnion(files)
    }
    return nil
  }

  // MARK: When to merge

  /// What has passed and is to be merged now, in plan order. None while others of a wave are at
  /// work; otherwise all but what would make another one collide once more that is done again.
  private func mergeable(_ ids: [Int], _ crew: TaskCrew) throws(BusError) -> [Int] {
    guard stop.reason == nil, schedule == .eager || crew.count == 0 else { return [] }
    let passed = ids.filter { ledger[$0].status == .passed }
    if passed.isEmpty { return [] }
    var held: Set<String> = []
    for id in ids where begun.contains(id) && ledger[id].status == .running {
      if let note = ledger[id].conflict { held.formUnion(try files(of: note)) }
    }
    if held.isEmpty { return passed }
    var result: [Int] = []
    for id in passed {
      let (base, tip) = (ledger[id].base, ledger[id].tip)
      let files = try SquashMerge.changedFiles(site.git, from: base, to: tip)
      if held.isDisjoint(with: files) { result.append(id) }
    }
    return result
  }

  /// Where the attempt has collided, or could.
  private func files(of note: ConflictNote) throws(BusError) -> Set<String> {
    Set(try SquashMerge.changedFiles(site.git, from: note.base, to: note.tip) + note.files)
  }
}
