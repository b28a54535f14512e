import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

@Suite struct FleetJournalTests {
  static let all: [FleetRecord] = {
    var result = TaskResult(task: 3, attempt: 2, end: .failed)
    result.tip = "aa"
    result.isTested = true
    result.iterations = 4
    result.seconds = 1.5
    result.cost = 0.25
    result.agent = "claude"
    result.reason = "\"quoted\"\nand ü"
    result.kept = "wip/x"
    let merge = FleetMerge(
      old: "1", new: "2", parts: [.init(task: 1, commit: "c"), .init(task: 2, commit: "d")])
    return [
      .began(
        FleetIdentity(
          run: "r", process: 7, top: "/ä b", branch: "feature", base: "00",
          worktrees: "/ä b/.worktrees", arguments: ["--agent", "x"], schedule: .eager)),
      .resumed(process: 8), .waveBegan(1, head: "ff"), .started(task: 3, attempt: 2, base: "b"),
      .ended(result),
      .conflict(
        ConflictNote(
          task: 3, attempt: 2, files: ["a", "b c"], tests: "out", base: "b", tip: "t",
          kept: "wip/y")),
      .publishing(merge), .published(merge), .unpublished,
      .gate(wave: 0, passed: false, culprit: 3), .gate(wave: 1, passed: true, culprit: nil),
      .skipped(task: 4, reason: "because"), .retried(task: 4), .waveEnded(0),
      .runEnded("completed"),
    ]
  }()

  @Test func everyRecordComesBack() throws {
    for record in FleetJournalTests.all {
      let line = record.line(.now())
      #expect(line.hasSuffix("\n") && line.dropLast().allSatisfy { $0 != "\n" })
      #expect(FleetRecord(json: Array(line.utf8.dropLast())) == record)
    }
  }

  /// Runs that were begun before there was a choice go on in waves.
  @Test func schedules() throws {
    let line = String(FleetJournalTests.all[0].line(.now()).dropLast())
    func schedule(_ text: String) -> PlanSchedule? {
      FleetLedger([FleetRecord(json: Array(text.utf8))].compactMap { $0 }).identity?.schedule
    }
    #expect(schedule(line) == .eager)
    #expect(schedule(line.replacing(",\"schedule\":\"eager\"", with: "")) == .wave)
    #expect(schedule(line.replacing("\"eager\"", with: "\"soon\"")) == nil)
  }

  /// Whatever a kill leaves of the last record, the ones before are there, and the next one is.
  @Test func tornAtEachByte() throws {
    let home = try TemporaryDirectory()
    let path = home.appending("journal")
    let lines = FleetJournalTests.all.map { $0.line(.now()) }
    let whole = lines.dropLast().joined()
    let last = try #require(lines.last)
    for length in 0..<last.utf8.count {
      Files.write(path, whole + String(decoding: last.utf8.prefix(length), as: UTF8.self))
      #expect(try FleetJournal.read(path) == FleetJournalTests.all.dropLast())
      let journal = try FleetJournal(path)
      try journal.append(.waveEnded(9))
      #expect(try FleetJournal.read(path) == FleetJournalTests.all.dropLast() + [.waveEnded(9)])
    }
  }

  @Test func damageIsNamed() throws {
    let home = try TemporaryDirectory()
    let path = home.appending("journal")
    #expect(try FleetJournal.read(path).isEmpty)
    let line = FleetRecord.waveEnded(0).line(.now())
    for bad in ["{}", "x", "{\"record\":\"started\",\"task\":1}", "[]", "{\"record\":7}"] {
      Files.write(path, "\(line)\(bad)\n\(line)")
      #expect { try FleetJournal.read(path) } throws: { error in
        (error as? BusError)?.code == .corrupt
          && (error as? BusError)?.message.contains("line 2 of") == true
      }
    }
  }

  @Test func theSumOfAJournal() {
    var ledger = FleetLedger([.started(task: 1, attempt: 1, base: "b")])
    #expect(ledger[1].status == .running && ledger[2].status == .pending)
    var result = TaskResult(task: 1, attempt: 1, end: .interrupted)
    result.seconds = 2
    result.iterations = 1
    ledger.apply(.ended(result))
    // The same attempt goes on counting.
    ledger.apply(.started(task: 1, attempt: 1, base: "b"))
    result.end = .passed
    result.seconds = 5
    result.iterations = 2
    result.tip = "t"
    ledger.apply(.ended(result))
    #expect(ledger[1].status == .passed && ledger[1].seconds == 5 && ledger[1].iterations == 2)
    let note = ConflictNote(
      task: 1, attempt: 1, files: ["f"], tests: "", base: "b", tip: "t", kept: "wip/1")
    ledger.apply(.conflict(note))
    #expect(ledger[1].status == .pending && ledger[1].conflicts == 1)
    // Another attempt counts anew, and the sum is of both.
    ledger.apply(.started(task: 1, attempt: 2, base: "c"))
    result.seconds = 1
    result.iterations = 1
    ledger.apply(.ended(result))
    #expect(ledger[1].seconds == 6 && ledger[1].iterations == 3)
    let merge = FleetMerge(old: "c", new: "d", parts: [.init(task: 1, commit: "d")])
    ledger.apply(.publishing(merge))
    #expect(ledger.publishing == merge && ledger[1].status == .passed)
    ledger.apply(.published(merge))
    #expect(ledger.publishing == nil && ledger[1].status == .merged && ledger[1].commit == "d")
  }
}
