/// The 64 slots, one page of the file, in which a key may be: it is nowhere else, and whoever holds
/// the bucket's lock alone reads and writes them.
struct KeyBucket {
  static let slotCount = 64
  static let byteCount = slotCount * KeyEntry.byteCount
  /// How many keys a bucket holds on average when the index is full. That one has to hold more than
  /// 64 then has a probability of 10^-15.
  static let load = 20

  let number: Int
  /// Of each slot: what it holds.
  private(set) var slots: [KeyEntry.Slot]
  let salt: UInt64

  /// - Parameter words: what the file holds; missing ones are zero.
  init(number: Int, words: [UInt64], salt: UInt64) {
    self.number = number
    self.salt = salt
    slots = (0..<Self.slotCount).map { slot in
      let start = slot * KeyEntry.wordCount
      return KeyEntry.slot(words[start..<start + KeyEntry.wordCount], salt: salt)
    }
  }

  var corruptCount: Int {
    slots.count { if case .corrupt = $0 { true } else { false } }
  }

  /// The newest entry of a key.
  func find(_ digest: SipHash.Digest) -> (slot: Int, entry: KeyEntry)? {
    var found: (slot: Int, entry: KeyEntry)?
    for (index, slot) in slots.enumerated() {
      guard case .taken(let entry) = slot, entry.digest == digest else { continue }
      if let best = found, best.entry.order >= entry.order { continue }
      found = (index, entry)
    }
    return found
  }

  /// Where a new entry goes: to its key's old place, to one that holds nothing of value, else to
  /// the oldest key's.
  func place(for digest: SipHash.Digest, _ hasExpired: (KeyEntry) -> Bool) -> Int {
    if let known = find(digest) { return known.slot }
    var (oldest, order) = (0, UInt64.max)
    var expired: Int?
    for (index, slot) in slots.enumerated() {
      guard case .taken(let entry) = slot else { return index }
      if expired == nil, hasExpired(entry) { expired = index }
      if entry.order < order { (oldest, order) = (index, entry.order) }
    }
    return expired ?? oldest
  }

  mutating func put(_ entry: KeyEntry?, at slot: Int) {
    slots[slot] = entry.map { .taken($0) } ?? .free
  }

  mutating func forgetCorrupt() -> [Int] {
    let corrupt = slots.indices.filter { if case .corrupt = slots[$0] { true } else { false } }
    for slot in corrupt { slots[slot] = .free }
    return corrupt
  }
}
