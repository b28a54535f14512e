import Glibc

/// The file of the index: a page that says what it is, and the buckets behind it, a page each.
///
/// Read and written by system calls and not mapped, so that a file which somebody shortens is an
/// error and not the end of the process.
final class KeyIndexFile: Sendable {
  let descriptor: OwnedDescriptor
  let locks: KeyLocks
  /// How many keys are remembered, as the process decided that made the index.
  let capacity: Int
  let bucketCount: Int
  let secret: SipHash.Key

  private static let pageSize = 4096
  private static let magic: UInt64 = 0x5359_454B_4C43_4E43  // "CNCLKEYS"
  private static let version: UInt64 = 1
  private static let headerWords = 8
  /// Where the number of the latest key and its checksum are.
  private static let counterPlace = 2048

  /// Opens the index in `directory`, a bus directory, and makes it if need be.
  ///
  /// - Throws: `incompatible` for another layout, a wrong size, or what is no index;
  ///   `permissionDenied`, `noSpace`, `exhausted`, `busy`, `system`.
  init(
    in directory: OwnedDescriptor, options: IdempotencyOptions, patience: Duration
  ) throws(BusError) {
    let folder = try KeyFolder.open(in: directory)
    let name = KeyFolder.fileName
    let path = "\(KeyFolder.name)/\(name)"
    let (file, status) = try TopicFile.open(
      name, in: folder, flags: O_RDWR, create: true, path: path, holdsLock: true)
    try PrivateFolder.checkPrivate(status, path, folder.access)
    let locks = KeyLocks(file, patience: patience, use: .keys)
    descriptor = file
    self.locks = locks
    var words = try Self.read(file, at: 0, words: Self.headerWords)
    if words.allSatisfy({ $0 == 0 }) {
      _ = try locks.acquire(KeyLocks.making, wait: .blocking)
      defer { locks.release(KeyLocks.making) }
      words = try Self.read(file, at: 0, words: Self.headerWords)
      // Whoever began to make it may have died before the header, which is written last.
      if words.allSatisfy({ $0 == 0 }) { words = try Self.make(file, options.boundedCapacity) }
    }
    capacity = try Self.checkedCapacity(words, file)
    bucketCount = Self.bucketCount(capacity)
    secret = SipHash.Key(first: words[5], second: words[6])
  }

  // MARK: Making and checking

  private static func bucketCount(_ capacity: Int) -> Int {
    (capacity + KeyBucket.load - 1) / KeyBucket.load
  }

  private static func size(_ capacity: Int) -> Int {
    pageSize + bucketCount(capacity) * KeyBucket.byteCount
  }

  private static func make(_ file: OwnedDescriptor, _ capacity: Int) throws(BusError) -> [UInt64] {
    guard let end = try? TopicFile.size(of: file, name: KeyFolder.fileName),
      end == 0 || end == UInt64(size(capacity))
    else { throw noIndex("it has no header, but contents") }
    guard ftruncate(file.number, off_t(size(capacity))) == 0 else {
      throw .system("make", "the index of idempotency keys")
    }
    var words = [
      magic, version, UInt64(capacity), UInt64(KeyBucket.slotCount), UInt64(KeyEntry.byteCount),
      UInt64.random(in: 1 ... .max), UInt64.random(in: 1 ... .max),
    ]
    words.append(KeyEntry.checksum(words.span, salt: magic))
    try write(file, words, at: 0)
    return words
  }

  private static func checkedCapacity(
    _ words: [UInt64], _ file: OwnedDescriptor
  ) throws(BusError) -> Int {
    guard words[0] == magic else { throw noIndex("it is none") }
    guard words[1] == version, words[3] == UInt64(KeyBucket.slotCount),
      words[4] == UInt64(KeyEntry.byteCount)
    else { throw noIndex("it has layout \(words[1]), and this program knows \(version)") }
    guard words[7] == KeyEntry.checksum(words.span.extracting(first: 7), salt: magic),
      let capacity = Int(exactly: words[2]),
      (1...IdempotencyOptions.greatestCapacity).contains(capacity)
    else { throw noIndex("its header is damaged") }
    let bytes = try TopicFile.size(of: file, name: KeyFolder.fileName)
    guard bytes == UInt64(size(capacity)) else {
      throw noIndex("it has \(bytes) bytes instead of \(size(capacity))")
    }
    return capacity
  }

  private static func noIndex(_ reason: String) -> BusError {
    BusError(
      .incompatible,
      "the index of idempotency keys (\(KeyFolder.name)/\(KeyFolder.fileName)) cannot be used: "
        + reason,
      hint: "end all who use the bus, then remove \(KeyFolder.name): its keys are forgotten then")
  }

  // MARK: The counter

  /// The number of the latest key; 0 when there is none, or it is damaged: then the keys that have
  /// numbers already count as new ones, and only time makes them expire.
  func lastOrder() throws(BusError) -> UInt64 {
    // Read without its lock it may be half-written, but not a thousand times.
    for _ in 0..<1000 {
      let words = try Self.read(descriptor, at: Self.counterPlace, words: 2)
      if words[1] == KeyEntry.checksum(words.span.extracting(first: 1), salt: secret.first) {
        return words[0]
      }
      if words == [0, 0] { break }
    }
    return 0
  }

  /// Takes the numbers of `count` new keys; returns the first.
  ///
  /// - Returns: nil only with ``PublishWait/never``.
  func takeOrders(_ count: Int, wait: PublishWait) throws(BusError) -> UInt64? {
    guard try locks.acquire(KeyLocks.counting, wait: wait) else { return nil }
    defer { locks.release(KeyLocks.counting) }
    let last = try lastOrder()
    let words = [last &+ UInt64(count)]
    let sum = KeyEntry.checksum(words.span, salt: secret.first)
    try Self.write(descriptor, words + [sum], at: Self.counterPlace)
    return last &+ 1
  }

  // MARK: Buckets

  func bucketNumber(of digest: SipHash.Digest) -> Int {
    Int(digest.second % UInt64(bucketCount))
  }

  /// Hold the bucket's lock.
  func bucket(_ number: Int) throws(BusError) -> KeyBucket {
    let words = try Self.read(
      descriptor, at: Self.place(number), words: KeyBucket.wordCount)
    return KeyBucket(number: number, words: words, salt: salt(number))
  }

  /// Writes one slot; nil frees it. Hold the bucket's lock.
  func write(_ entry: KeyEntry?, bucket: Int, slot: Int) throws(BusError) {
    let words =
      entry?.words(salt: salt(bucket)) ?? [UInt64](repeating: 0, count: KeyEntry.wordCount)
    try Self.write(descriptor, words, at: Self.place(bucket) + slot * KeyEntry.byteCount)
  }

  private func salt(_ bucket: Int) -> UInt64 { secret.first &+ UInt64(bucket) }

  private static func place(_ bucket: Int) -> Int { pageSize + bucket * KeyBucket.byteCount }

  // MARK: Bytes

  /// What is not there, because somebody shortened the file, is zero.
  private static func read(
    _ file: OwnedDescriptor, at place: Int, words count: Int
  ) throws(BusError) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: count)
    let read = unsafe words.withUnsafeMutableBytes { bytes in
      unsafe pread(file.number, bytes.baseAddress, bytes.count, off_t(place))
    }
    guard read >= 0 else { throw .system("read", "the index of idempotency keys") }
    return words
  }

  private static func write(
    _ file: OwnedDescriptor, _ words: [UInt64], at place: Int
  ) throws(BusError) {
    let written = unsafe words.withUnsafeBytes { bytes in
      unsafe pwrite(file.number, bytes.baseAddress, bytes.count, off_t(place))
    }
    guard written == words.count * 8 else {
      throw .system("write", "the index of idempotency keys", errno: written < 0 ? errno : ENOSPC)
    }
  }
}
