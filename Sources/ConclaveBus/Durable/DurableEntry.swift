/// One change of a group's state, as its journal says it: a line of words.
enum DurableEntry: Hashable, Sendable {
  /// Which segment the log comes from that members read, and where its places begin.
  case log(generation: String, base: UInt64)
  /// A process has become the member `slot`. What its predecessor had is free.
  case join(slot: Int, process: UInt32)
  /// The member is gone, or dead. What it had is free.
  case leave(slot: Int)
  case take(Take)
  /// Acknowledged, or given up.
  case done(PositionList)

  /// Places change hands.
  struct Take: Hashable, Sendable {
    /// Everything before it has been claimed.
    var next: UInt64
    /// The member that has them now; nil: nobody.
    var holder: Int?
    /// How often each was delivered, this time included.
    var attempts: Int
    /// When, in nanoseconds of the monotonic clock.
    var since: UInt64
    var positions: PositionList
  }

  /// The slots of members; more than there are processes with something to do on one machine.
  static let slotCount = 1024

  func write(to bytes: inout [UInt8]) {
    switch self {
    case .log(let generation, let base): bytes.append(words: "log", generation, base)
    case .join(let slot, let process): bytes.append(words: "join", slot, process)
    case .leave(let slot): bytes.append(words: "leave", slot)
    case .take(let take):
      let holder = take.holder.map(String.init) ?? "-"
      bytes.append(words: "take", take.next, holder, take.attempts, take.since, "")
      take.positions.write(to: &bytes)
    case .done(let positions):
      bytes.append(words: "done", "")
      positions.write(to: &bytes)
    }
  }

  /// nil when `line` is no entry.
  init?(_ line: ArraySlice<UInt8>) {
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    func number(_ index: Int) -> UInt64? { UInt64(decimal: words[index]) }
    switch (words.first.map { String(decoding: $0, as: UTF8.self) }, words.count) {
    case ("log", 3):
      guard let base = number(2), (1...64).contains(words[1].count) else { return nil }
      self = .log(generation: String(decoding: words[1], as: UTF8.self), base: base)
    case ("join", 3):
      guard let slot = number(1).flatMap(Self.slot), let process = number(2),
        let process = UInt32(exactly: process)
      else { return nil }
      self = .join(slot: slot, process: process)
    case ("leave", 2):
      guard let slot = number(1).flatMap(Self.slot) else { return nil }
      self = .leave(slot: slot)
    case ("take", 6):
      guard let take = Take(words) else { return nil }
      self = .take(take)
    case ("done", 2):
      guard let positions = PositionList(words[1]) else { return nil }
      self = .done(positions)
    default: return nil
    }
  }

  fileprivate static func slot(_ number: UInt64) -> Int? {
    number < UInt64(slotCount) ? Int(number) : nil
  }
}

extension DurableEntry.Take {
  fileprivate init?(_ words: [ArraySlice<UInt8>]) {
    let holder =
      words[2].elementsEqual([UInt8(ascii: "-")])
      ? nil : UInt64(decimal: words[2]).flatMap(DurableEntry.slot)
    guard holder != nil || words[2].elementsEqual([UInt8(ascii: "-")]),
      let next = UInt64(decimal: words[1]), let attempts = UInt64(decimal: words[3]),
      attempts <= 1 << 31, let since = UInt64(decimal: words[4]),
      let positions = PositionList(words[5]),
      positions.runs.last.map({ $0.upperBound < next }) ?? true
    else { return nil }
    self.init(
      next: next, holder: holder, attempts: Int(attempts), since: since, positions: positions)
  }
}

extension [UInt8] {
  fileprivate mutating func append(words: any CustomStringConvertible...) {
    append(contentsOf: words.map(\.description).joined(separator: " ").utf8)
  }
}
