import ConclaveBoard
import ConclaveBus
import ConclaveRunner

/// What `bus top` shows of a bus: what goes through it in all, then the tasks of the run that uses
/// it, the busiest publishers, the subscribers that are furthest behind, and the busiest topics. A
/// function of its arguments.
struct TopLines {
  /// Of the terminal; nil where lines may be as long and as many as they are.
  let size: LiveScreen.Size?

  /// No more lines than the terminal has besides the one of the cursor, and none that reaches the
  /// last column.
  func lines(of report: StatusReport, _ run: FleetGlance? = nil) -> [String] {
    let tables = [run.map(tasks) ?? [], publishers(report), subscribers(report), topics(report)]
      .filter { $0.count > 1 }
    let heads = heads(report) + (run.map { [head($0)] } ?? [])
    let all = heads + fitted(tables, in: size.map { $0.rows - 1 - heads.count })
    guard let size else { return all }
    return all.prefix(max(0, size.rows - 1)).map { DisplayWidth.cut($0, to: size.columns - 1) }
  }

  // MARK: The bus as a whole

  private func heads(_ report: StatusReport) -> [String] {
    guard let segment = report.now.sharedMemory else {
      let files = report.now.files.count
      return [
        printable(report.location.path),
        "no segment; \(files) \(files == 1 ? "topic" : "topics") in files",
      ]
    }
    let rate = shown(report.recordsPerSecond(segment))
    let publishers = segment.lanes.count(where: \.isLive)
    let subscribers = segment.subscribers.count(where: \.isLive)
    let lost = segment.subscribers.reduce(0) { $0 &+ $1.lost }
    let parts = [
      "\(rate) records per second", "\(publishers) publishing", "\(subscribers) subscribed",
      "\(lost) messages lost", mirror(segment.mirror),
      segment.damage.isNone ? nil : "damage: \(segment.damage)",
    ]
    return [printable(report.location.path), parts.compactMap(\.self).joined(separator: ", ")]
  }

  private func mirror(_ mirror: SharedMemoryStatus.Mirror?) -> String? {
    guard let mirror else { return nil }
    let who = mirror.process.map { "mirror \($0)" } ?? "no mirror"
    let trouble = mirror.troubleName.map { " and cannot write (\($0))" } ?? ""
    return "\(who) \(mirror.lag) behind\(trouble)"
  }

  private func head(_ run: FleetGlance) -> String {
    let merged = run.tasks.count(where: \.isMerged)
    return "run \(run.name) into \(printable(run.branch)), process \(run.process): "
      + "\(merged) of \(run.tasks.count) merged"
  }

  // MARK: Tables, a heading and a line for each row

  /// Those that are worked on first.
  private func tasks(_ run: FleetGlance) -> [String] {
    var table = TextTable([("TASK", .right), ("STATE", .left), ("FOR", .right), ("NEWS", .left)])
    for task in run.tasks.filter(\.isRunning) + run.tasks.filter({ !$0.isRunning }) {
      let time = task.seconds.map { LiveLines.time(.seconds($0)) } ?? ""
      table.add(
        "\(task.id)", state(task), time, BoardText.line(task.news.isEmpty ? task.title : task.news))
    }
    return lines(of: table)
  }

  private func state(_ task: FleetGlance.Task) -> String {
    guard task.isRunning, task.iterations > 0 else { return task.status }
    let gate = task.gate.isEmpty ? "working" : BoardText.line(task.gate)
    return "\(gate) \(task.iteration)/\(task.iterations)"
  }

  private func publishers(_ report: StatusReport) -> [String] {
    var table = TextTable([
      ("PUBLISHER", .right), ("MESSAGES", .right), ("PER SECOND", .right),
    ])
    let lanes = (report.now.sharedMemory?.lanes ?? []).filter(\.isLive)
      .map { (lane: $0, rate: report.messagesPerSecond($0)) }
    for (lane, rate) in lanes.sorted(by: { ($0.rate ?? 0) > ($1.rate ?? 0) }) {
      table.add("\(lane.process)", "\(lane.messages)", shown(rate))
    }
    return lines(of: table)
  }

  private func subscribers(_ report: StatusReport) -> [String] {
    var table = TextTable([
      ("SUBSCRIBER", .right), ("BEHIND", .right), ("LOST", .right), ("POLICY", .left),
      ("PREFIX", .left),
    ])
    let rows = (report.now.sharedMemory?.subscribers ?? []).filter(\.isLive)
    for row in rows.sorted(by: { ($0.lag, $0.lost) > ($1.lag, $1.lost) }) {
      table.add(
        "\(row.process)", "\(row.lag)", "\(row.lost)", report.policy(row), report.prefix(row))
    }
    return lines(of: table)
  }

  private func topics(_ report: StatusReport) -> [String] {
    var table = TextTable([("TOPIC", .left), ("BYTES", .right), ("PER SECOND", .right)])
    let files = report.now.files.map { (file: $0, rate: report.bytesPerSecond($0)) }
    for (file, rate) in files.sorted(by: { ($0.rate ?? 0) > ($1.rate ?? 0) }) {
      table.add(file.topic.name, "\(file.bytes)", shown(rate))
    }
    return lines(of: table)
  }

  private func lines(of table: TextTable) -> [String] {
    table.text.split(separator: "\n").map(String.init)
  }

  private func shown(_ rate: Double?) -> String { rate.map { decimal($0, digits: 1) } ?? "-" }

  // MARK: Room

  /// As many rows of each table as there is room for, alike, and how many there are more.
  private func fitted(_ tables: [[String]], in room: Int?) -> [String] {
    guard let room, tables.reduce(0, { $0 + $1.count }) > room else {
      return tables.flatMap(\.self)
    }
    var shares = tables.map { _ in 0 }
    var left = room
    while left > 0, shares != tables.map(\.count) {
      for index in tables.indices where shares[index] < tables[index].count && left > 0 {
        shares[index] += 1
        left -= 1
      }
    }
    return zip(tables, shares).flatMap { table, share in
      guard share > 0, share < table.count else { return Array(table.prefix(share)) }
      return ["\(table[0]) (+\(table.count - share))"] + table[1..<share]
    }
  }
}
