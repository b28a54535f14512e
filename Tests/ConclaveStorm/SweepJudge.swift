import ConclaveBus

/// What must be true after a disturbed worker and an undisturbed one.
struct SweepJudge {
  private(set) var faults: [String] = []
  /// Publishes that waited for a sync which was made to fail.
  private(set) var failedSyncs = 0
  private let records: [[Substring]]

  init(_ records: [Substring]) { self.records = records.map { $0.split(separator: " ") } }

  /// What was promised is in the files, once; the second, whom nothing disturbed, has everything.
  mutating func judgeFiles(_ directory: BusDirectory) throws {
    var files = StormCheck()
    let bus = try FileBus(directory: directory)
    let all = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    while let delivery = try all.poll() { files.take(delivery) }
    faults += files.faults
    if all.losses.damaged > 0 { faults.append("\(all.losses.damaged) damaged lines") }
    let promised = records.filter { $0[0] == "done" }
    let missing = promised.map { "\($0[1]) \($0[2])" }.filter { !files.seen.contains($0) }
    if !missing.isEmpty { faults.append("missing: \(missing.sorted().joined(separator: ", "))") }
    let ofSecond = files.seen.filter { $0.hasPrefix("second ") }.count
    if ofSecond != SweepWorker.messages {
      faults.append("the second published \(SweepWorker.messages), of which \(ofSecond) are there")
    }
  }

  /// Nobody noticed anything.
  mutating func judgeUnnoticed(_ said: String) {
    if said.contains("mirrorFailing") { faults.append("the mirror said that it failed: \(said)") }
    if let told = records.first(where: { $0[0] == "told" }) {
      faults.append("the publish \(told[2]) failed")
    }
  }

  /// Who waited for a sync of its own file that failed was told so; and nobody else, when
  /// publishers wait out all other trouble.
  ///
  /// - Parameter log: strace's, of syncs and of writes, which it shows in full, and with the names
  ///   of the files.
  mutating func judgeSyncs(_ log: String, isPatient: Bool) {
    var wait: SyncWait?
    var synced: Substring = ""
    for line in log.split(separator: "\n") {
      if let words = SweepJudge.record(in: line) {
        if words[0] == "asks" {
          wait = SyncWait(number: words[2], file: SweepWorker.file(of: words[2]))
        } else if let ended = wait {
          judge(ended, wasTold: words[0] == "told", isPatient: isPatient)
          wait = nil
        }
        continue
      }
      // The directory is synced for the name of the file that was synced just before.
      if line.contains("fdatasync(") { synced = line }
      if line.contains("(INJECTED)") {
        wait?.noteFailure(of: synced)
      } else if let number = wait?.number, line.contains(#"{\"n\":\#(number),"#) {
        wait?.isWritten = true
      }
    }
  }

  /// A publish that waits for the disk.
  private struct SyncWait {
    let number: Substring
    /// The end of its file's name.
    let file: String
    var isWritten = false
    var ownFailed = false

    init(number: Substring, file: String) {
      self.number = number
      self.file = file
    }

    /// What fails before the line is there does not concern it: its file is another one then.
    mutating func noteFailure(of synced: Substring) {
      if isWritten, synced.contains(file) { ownFailed = true }
    }
  }

  private mutating func judge(_ wait: SyncWait, wasTold: Bool, isPatient: Bool) {
    if wait.ownFailed { failedSyncs += 1 }
    if wait.ownFailed, !wasTold {
      faults.append("the publish \(wait.number) was told that it is synced; the sync failed")
    }
    if wasTold, !wait.ownFailed, isPatient {
      faults.append("the publish \(wait.number) was told of a failed sync; its own did not fail")
    }
  }

  /// The record that the line shows the writing of, as in `write(5, "\nasks first 3 synced;", 21`.
  private static func record(in line: Substring) -> [Substring]? {
    guard let start = line.firstRange(of: #""\n"#)?.upperBound, line.contains("write("),
      let end = line[start...].firstIndex(of: ";")
    else { return nil }
    let words = line[start..<end].split(separator: " ")
    return words.count == 4 ? words : nil
  }
}
