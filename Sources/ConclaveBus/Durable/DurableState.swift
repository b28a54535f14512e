/// What a durable subscription's members have agreed on: how far the log has been claimed, and who
/// has what of it. Pure: changes by entries alone, the same in every member.
struct DurableState: Sendable {
  /// A message that was claimed and is not acknowledged.
  struct Item: Hashable, Sendable {
    var attempts: Int
    /// The member's slot; nil: free.
    var holder: Int?
    var since: UInt64
  }

  private(set) var generation: String?
  private(set) var base: UInt64 = 0
  /// Everything before this place has been claimed.
  private(set) var next: UInt64 = 0
  private(set) var items: [UInt64: Item] = [:]
  /// Places that nobody holds, falling: the first to be given out comes last.
  private(set) var free: [UInt64] = []
  /// The pids of the members, by slot.
  private(set) var members: [Int: UInt32] = [:]

  /// Everything before this place is acknowledged. O(unacknowledged).
  var position: UInt64 { items.keys.min() ?? next }

  /// How many places members have.
  var heldCount: Int { items.count - free.count }

  /// How many places `log` would take back: those that were claimed in a log whose end is gone.
  func lost(by generation: String, base: UInt64) -> UInt64 {
    self.generation == nil || self.generation == generation ? 0 : next - min(next, base)
  }

  mutating func apply(_ entry: DurableEntry) {
    switch entry {
    case .log(let generation, let base): begin(generation, base)
    case .join(let slot, let process):
      release(slot)
      members[slot] = process
    case .leave(let slot):
      release(slot)
      members[slot] = nil
    case .take(let take): apply(take)
    case .done(let positions):
      var wereFree = 0
      positions.forEach { position in
        if let item = items.removeValue(forKey: position), item.holder == nil { wereFree += 1 }
      }
      forget(free: wereFree)
    }
  }

  /// A segment that is new begins behind what is in the files. Of what was claimed beyond that the
  /// files have nothing: a power cut took it, and its places will be given out again.
  private mutating func begin(_ generation: String, _ base: UInt64) {
    if lost(by: generation, base: base) > 0 {
      next = base
      items = items.filter { $0.key < base }
      free.removeAll { $0 >= base }
    }
    self.generation = generation
    self.base = base
  }

  private mutating func apply(_ take: DurableEntry.Take) {
    next = max(next, take.next)
    var wereFree = 0
    var newlyFree: [UInt64] = []
    take.positions.forEach { position in
      let before = items.updateValue(
        Item(attempts: take.attempts, holder: take.holder, since: take.since), forKey: position)
      if let before, before.holder == nil, take.holder != nil { wereFree += 1 }
      if take.holder == nil, before.map({ $0.holder != nil }) ?? true { newlyFree.append(position) }
    }
    forget(free: wereFree)
    add(newlyFree)
  }

  /// So many of the free places are not free any more: mostly those that come first.
  private mutating func forget(free count: Int) {
    var left = count
    while left > 0, let last = free.last, !isFree(last) {
      free.removeLast()
      left -= 1
    }
    if left > 0 { free = free.filter(isFree) }
  }

  private func isFree(_ position: UInt64) -> Bool {
    items[position].map { $0.holder == nil } ?? false
  }

  private mutating func release(_ slot: Int) {
    var released: [UInt64] = []
    for (position, item) in items where item.holder == slot {
      items[position]?.holder = nil
      released.append(position)
    }
    add(released)
  }

  private mutating func add(_ released: [UInt64]) {
    guard !released.isEmpty else { return }
    free.append(contentsOf: released)
    free.sort(by: >)
  }

  /// Entries that make this state from an empty one. O(n log n).
  var entries: [DurableEntry] {
    var entries: [DurableEntry] = []
    if let generation { entries.append(.log(generation: generation, base: base)) }
    for (slot, process) in members.sorted(by: { $0.key < $1.key }) {
      entries.append(.join(slot: slot, process: process))
    }
    var lists: [Item: PositionList] = [:]
    for (position, item) in items.sorted(by: { $0.key < $1.key }) {
      lists[item, default: PositionList()].append(position)
    }
    let takes = lists.map { item, positions in
      DurableEntry.Take(
        next: next, holder: item.holder, attempts: item.attempts, since: item.since,
        positions: positions)
    }
    entries += takes.sorted { $0.positions.runs[0].lowerBound < $1.positions.runs[0].lowerBound }
      .map { .take($0) }
    if takes.isEmpty {
      entries.append(
        .take(
          DurableEntry.Take(
            next: next, holder: nil, attempts: 0, since: 0, positions: PositionList())))
    }
    return entries
  }
}

extension DurableState: Equatable {}
