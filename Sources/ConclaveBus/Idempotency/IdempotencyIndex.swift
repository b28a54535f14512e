import Glibc
import SharedRing
import Synchronization

/// Which idempotency keys were published on a bus directory lately: shared by all processes, and
/// remembered over their deaths and restarts.
///
/// Publishing with a key is three steps, all under the key's lock: an *intent* is written, the
/// message is published, the intent becomes *done*. Whoever finds an intent under the lock knows
/// that its author died or failed in between, and asks the bus whether the message is there.
///
/// Safe from any thread. What another machine start has left is not believed without asking the
/// bus: a power cut may have taken the message and left the key.
final class IdempotencyIndex: Sendable {
  /// A key of which the index cannot say whether its message was published.
  struct Doubt: Sendable {
    let key: IdempotencyKey
    let topic: Topic
    /// The id that the message has, where it was known before it was published.
    let id: MessageID?
    /// The message, if it is there, was not published before this, by the clock of its publisher.
    let since: Timestamp
  }

  private let file: KeyIndexFile
  private let windowNanoseconds: UInt64
  private let clock: @Sendable () -> KeyMoment
  private let mark = ProcessMark()
  private let corrupt = Atomic<UInt64>(0)
  private let unconfirmed = Atomic<UInt64>(0)

  /// - Parameter directory: the bus directory.
  /// - Parameter patience: how long to wait for somebody else who publishes with the same key.
  /// - Throws: `incompatible`, `permissionDenied`, `noSpace`, `exhausted`, `busy`, `system`.
  init(
    in directory: OwnedDescriptor, options: IdempotencyOptions = IdempotencyOptions(),
    patience: Duration = .seconds(10),
    clock: @escaping @Sendable () -> KeyMoment = KeyMoment.now
  ) throws(BusError) {
    file = try KeyIndexFile(in: directory, options: options, patience: patience)
    windowNanoseconds = options.windowNanoseconds
    self.clock = clock
  }

  /// How many keys are remembered at most.
  var capacity: Int { file.capacity }

  /// How many entries made no sense, and are forgotten.
  var corruptEntries: UInt64 { corrupt.load(ordering: .relaxed) }

  /// How many messages were published, but could not be noted as such: the next publish with their
  /// key asks the bus.
  var unconfirmedEntries: UInt64 { unconfirmed.load(ordering: .relaxed) }

  // MARK: Claiming keys

  /// Locks the keys of a batch and notes the intent to publish those that are fresh.
  ///
  /// - Parameter keys: one for each message, nil for a message without.
  /// - Parameter takeIDs: takes the ids of so many messages, and returns the first counter: then a
  ///   message is told by its id from an older one with the same key, whatever the clocks say. Nil
  ///   where ids cannot be known before.
  /// - Parameter wasPublished: looks for a message on the bus; returns its id.
  /// - Returns: nil only with ``PublishWait/never``, when somebody else publishes with one of them.
  /// - Throws: `busy`, `forked`, `noSpace`, `system`, and what `wasPublished` throws: then nothing
  ///   is claimed.
  func claim(
    _ keys: [IdempotencyKey?], topic: Topic, wait: PublishWait,
    takeIDs: ((Int) -> UInt64)? = ProcessIdentity.nextIDs,
    wasPublished: (Doubt) throws(BusError) -> MessageID?
  ) throws(BusError) -> IdempotencyClaim? {
    try mark.check()
    let digests = keys.map { $0.map { digest(of: $0, topic) } }
    var claim = IdempotencyClaim(index: self, count: keys.count)
    // In rising order, so that two batches cannot wait for each other.
    for number in Set(digests.compactMap { $0.map(file.bucketNumber) }).sorted() {
      guard try file.locks.acquire(Int64(number), wait: wait) else { return nil }
      claim.locked.append(number)
    }
    var work = Work(now: clock())
    for (index, digest) in digests.enumerated() {
      guard let digest, let key = keys[index] else { continue }
      guard work.seen.insert(digest).inserted else {
        claim.duplicates[index] = .some(nil)
        continue
      }
      let known = try find(digest, &work)
      guard let known, let id = try resolve(known, key, topic, &work, wasPublished) else {
        work.fresh.append((index, digest))
        continue
      }
      claim.duplicates[index] = .some(id.known)
    }
    let fresh = claim.fresh
    if !fresh.isEmpty, let takeIDs { claim.number(fresh, from: takeIDs(fresh.count)) }
    guard try noteIntents(&claim, &work, wait) else { return nil }
    return claim
  }

  /// What one claim works on.
  private struct Work {
    let now: KeyMoment
    var buckets: [Int: KeyBucket] = [:]
    var seen: Set<SipHash.Digest> = []
    var fresh: [(index: Int, digest: SipHash.Digest)] = []
    /// The number of the latest key, once it was needed.
    var lastOrder: UInt64?

    init(now: KeyMoment) { self.now = now }
  }

  private struct Place: Hashable {
    let bucket: Int
    let slot: Int
  }

  /// A key that was published, and perhaps with which message.
  private struct Published { let known: MessageID? }

  /// The key's entry, unless it has expired.
  private func find(
    _ digest: SipHash.Digest, _ work: inout Work
  ) throws(BusError) -> (bucket: Int, slot: Int, entry: KeyEntry)? {
    let number = file.bucketNumber(of: digest)
    guard let (slot, entry) = try bucket(number, &work).find(digest) else { return nil }
    if work.lastOrder == nil { work.lastOrder = try file.lastOrder() }
    guard !hasExpired(entry, work) else { return nil }
    return (number, slot, entry)
  }

  private func hasExpired(_ entry: KeyEntry, _ work: borrowing Work) -> Bool {
    let last = work.lastOrder ?? 0
    // One whose number is still to come was there before the counter was lost: new enough.
    if last > entry.order, last - entry.order >= UInt64(file.capacity) { return true }
    return work.now.age(of: entry.moment) >= windowNanoseconds
  }

  /// Whether a key that is known was published; asks the bus where the index cannot say.
  private func resolve(
    _ known: (bucket: Int, slot: Int, entry: KeyEntry), _ key: IdempotencyKey, _ topic: Topic,
    _ work: inout Work, _ wasPublished: (Doubt) throws(BusError) -> MessageID?
  ) throws(BusError) -> Published? {
    var entry = known.entry
    if entry.state == .done, entry.moment.bootTag == work.now.bootTag {
      return Published(known: entry.id)
    }
    let since = Timestamp(nanosecondsSinceEpoch: entry.moment.wall)
    let doubt = Doubt(key: key, topic: topic, id: entry.id, since: since)
    guard let id = try wasPublished(doubt) else { return nil }
    // Its age goes on, by this start's clock.
    entry.moment = work.now.moment(at: since)
    entry.state = .done
    entry.id = id
    try file.write(entry, bucket: known.bucket, slot: known.slot)
    work.buckets[known.bucket]?.put(entry, at: known.slot)
    return Published(known: id)
  }

  private func noteIntents(
    _ claim: inout IdempotencyClaim, _ work: inout Work, _ wait: PublishWait
  ) throws(BusError) -> Bool {
    guard !work.fresh.isEmpty else { return true }
    guard var order = try file.takeOrders(work.fresh.count, wait: wait) else { return false }
    work.lastOrder = order &+ UInt64(work.fresh.count) &- 1
    var owners: [Place: Int] = [:]
    for (index, digest) in work.fresh {
      let entry = KeyEntry(
        digest: digest, order: order, moment: work.now, id: claim.ids[index], state: .intent)
      let intent = try put(entry, &work)
      // In a batch of more keys than are remembered the later ones displace the first.
      let place = Place(bucket: intent.bucket, slot: intent.slot)
      if let displaced = owners.updateValue(index, forKey: place) {
        claim.intents[displaced] = nil
      }
      claim.intents[index] = intent
      order &+= 1
    }
    return true
  }

  private func put(
    _ entry: KeyEntry, _ work: inout Work
  ) throws(BusError) -> IdempotencyClaim.Intent {
    let number = file.bucketNumber(of: entry.digest)
    var bucket = try bucket(number, &work)
    let slot = bucket.place(for: entry.digest) { hasExpired($0, work) }
    try file.write(entry, bucket: number, slot: slot)
    bucket.put(entry, at: slot)
    work.buckets[number] = bucket
    return IdempotencyClaim.Intent(bucket: number, slot: slot, entry: entry)
  }

  /// The bucket, read once, with what is damaged in it counted and cleared.
  private func bucket(_ number: Int, _ work: inout Work) throws(BusError) -> KeyBucket {
    if let known = work.buckets[number] { return known }
    var bucket = try file.bucket(number)
    for slot in bucket.forgetCorrupt() {
      corrupt.wrappingAdd(1, ordering: .relaxed)
      try file.write(nil, bucket: number, slot: slot)
    }
    work.buckets[number] = bucket
    return bucket
  }

  private func digest(of key: IdempotencyKey, _ topic: Topic) -> SipHash.Digest {
    // No topic has a zero in it, so no two pairs are the same bytes.
    let bytes = Array(topic.name.utf8) + [0] + Array(key.text.utf8)
    return unsafe bytes.withUnsafeBytes { unsafe SipHash.digest($0, key: file.secret) }
  }

  // MARK: For claims

  /// Notes that the message of an intent is published; or, without an id, that it is not. The lock
  /// is held.
  func settle(_ intent: IdempotencyClaim.Intent, _ id: MessageID?) {
    var entry = intent.entry
    entry.state = .done
    entry.id = id
    do throws(BusError) {
      try file.write(id == nil ? nil : entry, bucket: intent.bucket, slot: intent.slot)
    } catch {
      // The intent stays, and makes the next one ask: nothing is lost or doubled.
      unconfirmed.wrappingAdd(1, ordering: .relaxed)
    }
  }

  func release(_ buckets: [Int]) {
    for number in buckets { file.locks.release(Int64(number)) }
  }

  // MARK: Rebuilding

  /// A message with a key, as it is found on the bus.
  struct Known: Sendable {
    let key: IdempotencyKey
    let topic: Topic
    let id: MessageID
    let time: Timestamp
  }

  /// Enters the keys of messages that are on the bus: after a power cut, which may have taken the
  /// index's newest entries or all of it. Give them in the order in which they were published.
  ///
  /// - Returns: how many were not known. O(messages); may run beside publishers.
  @discardableResult
  func rebuild(from messages: some Sequence<Known>) throws(BusError) -> Int {
    try mark.check()
    var entered = 0
    for message in messages where try enter(message) { entered += 1 }
    return entered
  }

  private func enter(_ message: Known) throws(BusError) -> Bool {
    let digest = digest(of: message.key, message.topic)
    let number = file.bucketNumber(of: digest)
    _ = try file.locks.acquire(Int64(number), wait: .blocking)
    defer { file.locks.release(Int64(number)) }
    var work = Work(now: clock())
    let moment = work.now.moment(at: message.time)
    guard work.now.age(of: moment) < windowNanoseconds else { return false }
    if let known = try find(digest, &work), known.entry.state == .done { return false }
    guard let order = try file.takeOrders(1, wait: .blocking) else { return false }
    work.lastOrder = order
    let entry = KeyEntry(
      digest: digest, order: order, moment: moment, id: message.id, state: .done)
    _ = try put(entry, &work)
    return true
  }
}
