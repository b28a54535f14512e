import Glibc
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

  /// What every journal is made with.
  private var beginning: [DurableEntry] {
    [.log(generation: "a", base: 0), take([], next: 0, holder: nil)]
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

  /// Whatever came between, nothing is taken for claimed that was given out again.
  @Test func aSegmentThatCameAndWentTakesBackWhatWasClaimed() throws {
    typealias Segment = LogHistory.Segment
    let segments = [("a", 0), ("b", 5), ("c", 12), ("d", 30)].map {
      Segment(generation: $0.0, base: $0.1)
    }
    var history = LogHistory(base: 0)
    for segment in segments { history.append(segment) }
    #expect(try #require(LogHistory(history.bytes[...])) == history && history.base == 30)
    let before = state([
      .log(generation: "a", base: 0), take([3, 4, 8], next: 9, holder: 0),
    ])
    func next(_ state: DurableState, _ history: LogHistory, _ segment: Segment) -> UInt64? {
      history.entries(after: state, to: segment).map { entries in
        var state = state
        for entry in entries { state.apply(entry) }
        #expect(entries.isEmpty || state.generation == segment.generation)
        #expect(entries.isEmpty || state.base == segment.base)
        return state.next
      }
    }
    #expect(next(before, history, segments[0]) == 9)
    #expect(segments[1...].map { next(before, history, $0) } == [5, 5, 5])
    // Its own is forgotten: everything that was claimed in it comes again.
    let late = state([.log(generation: "x", base: 7), take([8], next: 9, holder: 0)])
    #expect(next(late, history, segments[3]) == 7)
    #expect(next(late, LogHistory(base: 3), segments[3]) == 7)
    // Nobody goes back to a segment.
    let newer = state([.log(generation: "c", base: 12), take([], next: 20, holder: nil)])
    #expect(next(newer, history, segments[1]) == nil && next(newer, history, segments[3]) == 20)
  }

  @Test func segmentsAreRememberedAndForgotten() throws {
    var history = LogHistory(base: 0)
    for number in 0..<2000 as Range<UInt64> {
      history.append(LogHistory.Segment(generation: "\(number)", base: number))
      history.append(LogHistory.Segment(generation: "\(number)", base: number + 1))
    }
    #expect(history.segments.count == LogHistory.greatestCount && history.base == 2000)
    #expect(history.segments.map(\.base) == Array(977...2000))
    #expect(LogHistory(history.bytes[...]) == history)
    #expect(LogHistory(Array("12\n".utf8)[...]) == LogHistory(base: 12))
    for wrong in ["", "\n", "1", "x\n", "1\n\n", "1\na\n", "1\na b\n", "1\na 1", "1\n 1\n", "01\n"]
    {
      #expect(LogHistory(Array(wrong.utf8)[...]) == nil, "\(wrong)")
    }
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
    let directory = try scratch.directory().open()
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
    try journal.create(TopicPrefix("t"), beginning)
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
    try journal.create(TopicPrefix("t"), beginning)
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
    let (_, folder, path) = try journal(in: scratch)
    let name = try DurableName("n")
    let lock = try DurableFolder.open("n.lock", in: folder, flags: O_RDWR, create: true)
    let witness = DurableWitness(file: lock, path: "n.lock")
    let journal = DurableJournal(name, in: folder, witness: witness)
    try journal.create(TopicPrefix("t"), beginning)
    #expect(witness.length == UInt64(Disk.size(path)))
    let other = DurableJournal(name, in: folder, witness: witness)
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
      #expect(witness.length == UInt64(Disk.size(path)))
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
