import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// Numbers in shared memory that nobody sends: whoever reads them must not trap.
@Suite struct DamagedNumberTests {
  /// Two streams, since it is the sum of what is missing that may not fit.
  @Test(arguments: [.max, .max - 1, (1 << 63) + 1, 1 << 57] as [UInt64])
  func hugeNumbers(_ number: UInt64) throws {
    let temporary = try TemporaryDirectory()
    let directory = try BusDirectory(opening: temporary.path)
    let bus = try SharedMemoryBus(directory: directory)
    defer { bus.close() }
    let subscription = try bus.subscribe()
    let publishers = try ["s1", "s2"].map {
      try bus.publisher(topic: Topic("t"), sender: $0, type: "x")
    }
    for _ in 0..<2 {
      for publisher in publishers { try publisher.publish(RawJSON("1")) }
    }
    let before = try SegmentWords(SharedMemoryBus.segmentPath(of: directory))
    #expect(try before.replace(seq: 2, by: number) == 2)
    for publisher in publishers { try publisher.publish(RawJSON("2")) }
    var (seqs, missing): ([UInt64], UInt64) = ([], 0)
    while let delivery = try subscription.poll() {
      switch delivery {
      case .envelope(let envelope): seqs.append(envelope.seq)
      case .gap(let gap): missing += gap.count
      }
    }
    #expect(seqs == [1, 1, 3, 3])
    #expect(missing == 2)
    #expect(subscription.losses.damaged == 2)
  }

  /// What a lane's list says of a stream's last number counts for as little as what a record says.
  @Test func hugeNumbersInLists() throws {
    let temporary = try TemporaryDirectory()
    let directory = try BusDirectory(opening: temporary.path)
    let bus = try SharedMemoryBus(directory: directory)
    defer { bus.close() }
    let publishers = try ["s1", "s2"].map {
      try bus.publisher(topic: Topic("t"), sender: $0, type: "x")
    }
    let subscription = try bus.subscribe()
    let large = try RawJSON("\"" + String(repeating: "a", count: 60_000) + "\"")
    for _ in 0..<77 { for publisher in publishers { try publisher.publish(large) } }
    let words = try SegmentWords(SharedMemoryBus.segmentPath(of: directory))
    #expect(try words.replace(listed: 77, by: .max) == 2)
    while let delivery = try subscription.poll() {
      if case .gap(let gap) = delivery { #expect(gap.count < 77) }
    }
    #expect(subscription.losses.lostMessages < 2 * 77)
  }
}

/// The words of a segment's file.
private struct SegmentWords {
  private let path: String
  private var words: [UInt64]

  init(_ path: String) throws {
    self.path = path
    let descriptor = OwnedDescriptor(unsafe open(path, O_RDONLY))
    words = [UInt64](repeating: 0, count: 1 << 22)
    let bytes = unsafe words.withUnsafeMutableBytes { bytes in
      unsafe pread(descriptor.number, bytes.baseAddress, bytes.count, 0)
    }
    try #require(bytes > 0)
  }

  /// Replaces the number of records, known by the time stamp behind it; returns how many.
  func replace(seq: UInt64, by number: UInt64) throws -> Int {
    let now = UInt64(time(nil)) * 1_000_000_000
    return try replace(seq, by: number) { next in
      next > now - 60_000_000_000 && next < now + 60_000_000_000
    }
  }

  /// Replaces the number of list entries, known by the length of the key behind it.
  func replace(listed: UInt64, by number: UInt64) throws -> Int {
    try replace(listed, by: number) { next in next > 2 && next < 64 }
  }

  private func replace(
    _ old: UInt64, by number: UInt64, before isNext: (UInt64) -> Bool
  ) throws -> Int {
    let descriptor = OwnedDescriptor(unsafe open(path, O_RDWR))
    var (count, number) = (0, number)
    for index in words.indices.dropLast() where words[index] == old && isNext(words[index + 1]) {
      try #require(unsafe pwrite(descriptor.number, &number, 8, off_t(index * 8)) == 8)
      count += 1
    }
    return count
  }
}
