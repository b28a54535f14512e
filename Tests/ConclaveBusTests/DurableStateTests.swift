import Testing

@testable import ConclaveBus

@Suite struct DurableStateTests {
  private func take(
    _ positions: [UInt64], next: UInt64, holder: Int?, attempts: Int = 1
  ) -> DurableEntry {
    .take(
      DurableEntry.Take(
        next: next, holder: holder, attempts: attempts, since: 7, positions: PositionList(positions)
      ))
  }

  private func state(_ entries: [DurableEntry]) -> DurableState {
    var state = DurableState()
    for entry in entries { state.apply(entry) }
    return state
  }

  @Test func positionsAreWrittenInRunsAndReadBack() throws {
    for (positions, text) in [
      ([], "-"), ([5], "5"), ([5, 6, 7], "5-7"), ([0, 2, 3, 9], "0,2-3,9"),
      ([UInt64.max - 1, UInt64.max], "18446744073709551614-18446744073709551615"),
    ] as [([UInt64], String)] {
      let list = PositionList(positions)
      var bytes: [UInt8] = []
      list.write(to: &bytes)
      #expect(String(decoding: bytes, as: UTF8.self) == text)
      #expect(try #require(PositionList(bytes[...])) == list)
      var seen: [UInt64] = []
      list.forEach { seen.append($0) }
      #expect(seen == positions && list.count == positions.count)
    }
    for wrong in ["", ",", "1,", "3-1", "1-2-3", "2,1", "1,1", "01", "0-99999999999", "x", "-1"] {
      #expect(PositionList(Array(wrong.utf8)[...]) == nil, "\(wrong)")
    }
  }

  @Test func entriesAreReadBack() throws {
    let entries: [DurableEntry] = [
      .log(generation: "0f", base: 3), .join(slot: 1023, process: 4711), .leave(slot: 0),
      take([1, 2, 9], next: 10, holder: 4), take([], next: 0, holder: nil),
      .done(PositionList([1, 3])),
    ]
    for entry in entries {
      var bytes: [UInt8] = []
      entry.write(to: &bytes)
      #expect(DurableEntry(bytes[...]) == entry)
    }
    for wrong in [
      "", "log", "log  1", "join 1024 1", "join 1 4294967296", "leave", "leave -", "take 1 - 1 1",
      "take 5 - 1 1 5", "take 6 - 9999999999 1 5", "take 6 1024 1 1 5", "done", "done x",
      "done 1 2",
    ] {
      #expect(DurableEntry(Array(wrong.utf8)[...]) == nil, "\(wrong)")
    }
  }

  @Test func whatAMemberHadIsFreeWhenItIsGone() {
    var state = state([
      .join(slot: 0, process: 1), .join(slot: 1, process: 2), take([3, 4, 8], next: 9, holder: 0),
      take([9], next: 10, holder: 1),
    ])
    #expect(state.position == 3 && state.next == 10 && state.free == [] && state.heldCount == 4)
    state.apply(.done(PositionList([4])))
    state.apply(.leave(slot: 0))
    #expect(state.free == [8, 3] && state.members == [1: 2] && state.heldCount == 1)
    state.apply(.join(slot: 1, process: 3))
    #expect(state.free == [9, 8, 3] && state.members == [1: 3])
    state.apply(take([3], next: 10, holder: 1, attempts: 2))
    #expect(state.free == [9, 8] && state.items[3]?.attempts == 2)
    state.apply(take([9], next: 10, holder: 1, attempts: 2))
    #expect(state.free == [8])
    state.apply(take([9, 3], next: 4, holder: nil, attempts: 2))
    #expect(state.free == [9, 8, 3] && state.next == 10)
    state.apply(.done(PositionList([3, 8, 9])))
    #expect(state.free == [] && state.position == 10 && state.items.isEmpty)
  }

  @Test func aLogThatLostItsEndTakesBackWhatWasClaimed() {
    let before = state([
      .log(generation: "a", base: 0), take([3, 4, 8], next: 9, holder: 0),
    ])
    #expect(before.lost(by: "a", base: 5) == 0)
    #expect(before.lost(by: "b", base: 9) == 0 && before.lost(by: "b", base: 5) == 4)
    var after = before
    after.apply(.log(generation: "b", base: 5))
    #expect(after.next == 5 && after.items.keys.sorted() == [3, 4] && after.base == 5)
    after = before
    after.apply(.leave(slot: 0))
    after.apply(.log(generation: "b", base: 4))
    #expect(after.free == [3] && after.position == 3)
  }

  /// Any sequence of entries, and the few that stand for it, make the same state.
  @Test func aSnapshotMakesTheSameState() {
    var generator = SeededGenerator(state: 42)
    for _ in 0..<50 {
      var state = state([.log(generation: "a", base: 0)])
      for _ in 0..<60 {
        let known = state.items.keys.sorted()
        let some = known.filter { _ in Bool.random(using: &generator) }
        let slot = Int.random(in: 0..<4, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: state.apply(.join(slot: slot, process: UInt32(slot)))
        case 1: state.apply(.leave(slot: slot))
        case 2: state.apply(.done(PositionList(some)))
        case 3: state.apply(take(some, next: state.next, holder: nil, attempts: slot))
        default:
          let fresh = (0..<5).map { state.next + 2 * $0 }
          state.apply(take(fresh, next: fresh[4] + 1, holder: slot, attempts: slot))
        }
        #expect(
          state.free == state.items.filter { $0.value.holder == nil }.keys.sorted(by: >))
      }
      #expect(self.state(state.entries) == state)
    }
  }

  // MARK: The journal

  private func journal(in scratch: Scratch) throws -> (DurableJournal, OwnedDescriptor, String) {
    let directory = OwnedDescriptor(try scratch.directory().open())
    let folder = try DurableFolder.open(in: directory)
    let name = try DurableName("n")
    return (DurableJournal(name, in: folder), folder, "\(scratch.path)/bus/.durable/n.journal")
  }

  private let someEntries: [DurableEntry] = [
    .join(slot: 0, process: 1),
    .take(
      DurableEntry.Take(
        next: 12, holder: 0, attempts: 1, since: 3, positions: PositionList([1, 2, 3, 11]))),
    .done(PositionList([1, 2])),
  ]

  /// Cut off anywhere, the journal has the state before the line or after it.
  @Test func tornAnywhereItIsOldOrNew() throws {
    let scratch = Scratch()
    let (journal, folder, path) = try journal(in: scratch)
    try journal.create(TopicPrefix("t"), [.log(generation: "a", base: 0)])
    var states = [(Disk.size(path), journal.state)]
    for entry in someEntries {
      try journal.append([entry])
      states.append((Disk.size(path), journal.state))
    }
    let bytes = Disk.read(path)
    for length in states[0].0...bytes.count {
      for tail in [[], [UInt8](repeating: 0, count: 9)] {
        Disk.write(path, bytes[..<length] + tail)
        let (size, expected) = try #require(states.last { $0.0 <= length })
        let again = DurableJournal(try DurableName("n"), in: folder)
        #expect(try DurableJournal.look(DurableName("n"), in: folder).state == expected)
        #expect(try again.refresh())
        #expect(again.state == expected && Disk.size(path) == size)
        // The next line stands where the torn one did.
        try again.append([.leave(slot: 0)])
        #expect(try DurableJournal.look(DurableName("n"), in: folder).state == again.state)
      }
    }
    for length in 0..<states[0].0 - 1 where !bytes[..<length].contains(0x0A) {
      Disk.write(path, Array(bytes[..<length]))
      #expect(throws: BusError.self) {
        try DurableJournal(DurableName("n"), in: folder).refresh()
      }
    }
  }

  /// No byte can change in a line that has one behind it, and no line can be missing.
  @Test func damageIsReported() throws {
    let scratch = Scratch()
    let (journal, folder, path) = try journal(in: scratch)
    try journal.create(TopicPrefix("t"), [.log(generation: "a", base: 0)])
    try journal.append(someEntries)
    let bytes = Disk.read(path)
    func isCorrupt(_ damaged: [UInt8]) throws -> Bool {
      Disk.write(path, damaged)
      do throws(BusError) {
        _ = try DurableJournal(try DurableName("n"), in: folder).refresh()
        return false
      } catch { return error.code == .corrupt && error.hint.contains(".durable/n.journal") }
    }
    for index in 0..<bytes.count - 1 {
      for change in [UInt8(1), 0x20, 0x80] {
        var damaged = bytes
        damaged[index] ^= change
        #expect(try isCorrupt(damaged), "byte \(index)")
        #expect(Disk.size(path) == bytes.count)
      }
    }
    let lines = bytes.split(separator: 0x0A).map { Array($0) + [0x0A] }
    for index in 0..<lines.count - 1 {
      var fewer = lines
      fewer.remove(at: index)
      #expect(try isCorrupt(Array(fewer.joined())))
    }
    #expect(try isCorrupt(Array((lines + [lines[2]]).joined())))
    #expect(try isCorrupt([]))
    Disk.write(path, bytes)
    #expect(try DurableJournal(DurableName("n"), in: folder).refresh())
  }

  @Test func aLongJournalIsMadeAnew() throws {
    let scratch = Scratch()
    let (journal, folder, path) = try journal(in: scratch)
    try journal.create(TopicPrefix("t"), [.log(generation: "a", base: 0)])
    let other = DurableJournal(try DurableName("n"), in: folder)
    #expect(try other.refresh())
    var longest = 0
    for number in 0..<30_000 as Range<UInt64> {
      try journal.append([
        .take(
          DurableEntry.Take(
            next: number + 1, holder: 0, attempts: 1, since: 3, positions: PositionList([number]))),
        .done(PositionList([number])),
      ])
      longest = max(longest, Disk.size(path))
      if number % 1000 == 0 {
        #expect(try other.refresh())
        #expect(other.state == journal.state)
      }
    }
    #expect(longest > 1_000_000 && longest <= 1 << 20 && Disk.size(path) < longest)
    #expect(journal.state.next == 30_000)
    #expect(try other.refresh())
    #expect(other.state == journal.state)
    // Who has only the old file has what was there then, and sees the new one.
    try other.append([.leave(slot: 0)])
    #expect(try journal.refresh())
    #expect(other.state == journal.state)
  }
}
