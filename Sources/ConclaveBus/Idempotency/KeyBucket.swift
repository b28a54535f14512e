/// The 64 slots, one page of the file, in which a key may be: it is nowhere else, and whoever holds
/// the bucket's lock alone reads and writes them.
struct KeyBucket {
  static let slotCount = 64
  static let byteCount = slotCount * KeyEntry.byteCount
  static let wordCount = slotCount * KeyEntry.wordCount
  /// How many keys a bucket holds on average when the index is full. That one has to hold more than
  /// 64 then has a probability of 10^-15.
  static let load = 20

  let number: Int
  private let salt: UInt64
  /// As in the file: entries are read where they lie, because most are only passed by.
  private var words: [UInt64]
  /// One bit a slot: whether it holds an entry.
  private var taken: UInt64 = 0

  /// - Parameter words: what the file holds; missing ones are zero.
  init(number: Int, words: [UInt64], salt: UInt64) {
    self.number = number
    self.salt = salt
    self.words = words
    for slot in 0..<Self.slotCount where !isFree(slot) { taken |= 1 << UInt64(slot) }
  }

  /// Which slots hold what the index did not write there; they are free from here on.
  mutating func forgetCorrupt() -> [Int] {
    var corrupt: [Int] = []
    forEachTaken { slot in
      let isSound = KeyEntry.isSound(words.span.extracting(range(slot)), salt: salt)
      if !isSound { corrupt.append(slot) }
    }
    for slot in corrupt { put(nil, at: slot) }
    return corrupt
  }

  /// The newest entry of a key.
  func find(_ digest: SipHash.Digest) -> (slot: Int, entry: KeyEntry)? {
    var found: (slot: Int, entry: KeyEntry)?
    forEachTaken { slot in
      let start = slot * KeyEntry.wordCount
      guard words[start] == digest.first, words[start + 1] == digest.second,
        let entry = entry(slot)
      else { return }
      if let best = found, best.entry.order >= entry.order { return }
      found = (slot, entry)
    }
    return found
  }

  /// Where a new entry goes: to its key's old place, to a free one, to one that has expired, else
  /// to the oldest key's.
  func place(for digest: SipHash.Digest, _ hasExpired: (KeyEntry) -> Bool) -> Int {
    if let known = find(digest) { return known.slot }
    if taken != .max { return (~taken).trailingZeroBitCount }
    var (oldest, order) = (0, UInt64.max)
    for slot in 0..<Self.slotCount {
      guard let entry = entry(slot), !hasExpired(entry) else { return slot }
      if entry.order < order { (oldest, order) = (slot, entry.order) }
    }
    return oldest
  }

  /// Notes what was written to a slot; nil frees it.
  mutating func put(_ entry: KeyEntry?, at slot: Int) {
    let new = entry?.words(salt: salt)
    for (offset, index) in range(slot).enumerated() { words[index] = new?[offset] ?? 0 }
    if new == nil { taken &= ~(1 << UInt64(slot)) } else { taken |= 1 << UInt64(slot) }
  }

  private func entry(_ slot: Int) -> KeyEntry? {
    KeyEntry(words: words.span.extracting(range(slot)))
  }

  private func isFree(_ slot: Int) -> Bool {
    var all: UInt64 = 0
    for index in range(slot) { all |= words[index] }
    return all == 0
  }

  private func range(_ slot: Int) -> Range<Int> {
    slot * KeyEntry.wordCount..<(slot + 1) * KeyEntry.wordCount
  }

  @inline(__always)
  private func forEachTaken(_ body: (Int) -> Void) {
    var rest = taken
    while rest != 0 {
      body(rest.trailingZeroBitCount)
      rest &= rest &- 1
    }
  }
}
