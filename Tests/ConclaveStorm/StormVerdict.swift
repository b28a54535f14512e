import BusTesting
import ConclaveBus

/// What must be true of everything that a storm left.
struct StormVerdict {
  private(set) var faults: [String]
  private let files: StormFiles
  private var log = StormCheck()
  private var lines: [String] = []

  /// - Parameter live: what the subscriber received that lived through the storm.
  init(_ storm: borrowing Storm, _ files: StormFiles, _ live: StormCheck) throws {
    self.files = files
    faults = storm.faults
    lines.append(storm.tally.text)
    try judgeLog(live)
    lines.append(
      "\(log.messages) messages in the files, \(try judgePromises()) of them acknowledged, "
        + "\(storm.terms) times another mirror")
    judgeRuns(storm.runSlots)
    try judgeGroup()
    try judgeBeginnings()
  }

  func say() {
    for line in lines { print(line) }
    for fault in faults { print("\(Report.word) \(fault)") }
  }

  private mutating func judgeLog(_ live: StormCheck) throws {
    let bus = try FileBus(directory: BusDirectory(opening: files.bus))
    let everything = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    while let delivery = try everything.poll() { log.take(delivery) }
    let damaged = everything.losses.damaged
    faults += log.faults.map { "files: \($0)" } + live.faults.map { "subscriber: \($0)" }
    if damaged > 0 { faults.append("files: \(damaged) damaged lines") }
    if live.seen != log.seen {
      faults.append("the subscriber had \(live.messages), the files \(log.messages)")
    }
  }

  /// - Returns: how many there were.
  private mutating func judgePromises() throws -> Int {
    let promised = Set(RecordFile.read(files.acknowledged).map(String.init))
    let missing = promised.subtracting(log.seen)
    if let first = missing.min() {
      faults.append("\(missing.count) acknowledged are missing, as \(first)")
    }
    return promised.count
  }

  private mutating func judgeRuns(_ slots: Range<Int>) {
    var judge = RunJudge(positions: log.positions, ids: log.order)
    for slot in slots { judge.take(RecordFile.read(files.runs(slot))) }
    lines.append("\(judge.lives) lives of subscribers, which received \(judge.messages)")
    faults += judge.faults
  }

  /// Who goes on behind a message gets the next one first.
  private mutating func judgeBeginnings() throws {
    StormDefect.plant()
    let bus = try StormBus.open(files.bus, isCandidate: false)
    defer { bus.close() }
    let step = max(1, (log.order.count - 1) / 20)
    for index in stride(from: 0, to: log.order.count - 1, by: step) {
      let (id, next) = (log.order[index], log.order[index + 1])
      let subscription = try bus.subscribe("", options: SubscriptionOptions(start: .after(id)))
      guard case .envelope(let first)? = try subscription.receive(timeout: .seconds(60)),
        first.id == next
      else {
        return faults.append("behind \(id) something else came than \(next)")
      }
    }
  }

  private mutating func judgeGroup() throws {
    var judge = GroupJudge(RecordFile.read(files.group), files: log.positions)
    let before = judge.acknowledged.count
    try judge.drain(files.bus)
    lines.append(
      "a durable group acknowledged \(before), its last member "
        + "\(judge.acknowledged.count - before); \(judge.repeated) came again")
    faults += judge.faults
  }
}
