import CShim
import SharedRing

/// One numbering of this process in its lane, with the head of its records laid out once:
/// publishing writes three words into it and hands it over.
///
/// Everything here is guarded by the lane's lock.
@safe
final class SharedMemoryStream: Sendable {
  /// The numbering itself, shared by all handles with the same sender and topic.
  @safe
  final class Numbering: Sendable {
    nonisolated(unsafe) let last: UnsafeMutablePointer<UInt64>
    let number: UInt16
    let listing: RingStreamList.Stream

    init(number: UInt16, listing: RingStreamList.Stream) {
      unsafe last = .allocate(capacity: 1)
      unsafe last.initialize(to: 0)
      self.number = number
      self.listing = listing
    }

    deinit { unsafe last.deallocate() }
  }

  let numbering: Numbering
  /// The length of the idempotency key of all its messages, at the place in the first word where it
  /// belongs; 0 without.
  private let keyWord: UInt64
  private nonisolated(unsafe) let head: UnsafeMutableRawBufferPointer

  init(
    numbering: Numbering, topic: Topic, sender: String, type: String, process: UInt32,
    key: IdempotencyKey? = nil, mayBeGivenUp: Bool
  ) {
    let keyBytes = key.map { Array($0.text.utf8) } ?? []
    keyWord = UInt64(keyBytes.count) << 56
    let names = Array(topic.name.utf8) + Array(sender.utf8) + Array(type.utf8) + keyBytes
    let bytes = RecordHead.fixedBytes + RecordHead.paddedBytes(names: names.count)
    unsafe head = .allocate(byteCount: bytes, alignment: 8)
    unsafe head.initializeMemory(as: UInt8.self, repeating: 0)
    let stream =
      numbering.number | (numbering.listing.isListed ? RecordHead.listedBit : 0)
      | (key == nil ? 0 : RecordHead.keyedBit) | (mayBeGivenUp ? RecordHead.looseBit : 0)
    unsafe head.storeBytes(
      of: RecordHead.word3(
        process: process, topic: topic.name.utf8.count, sender: sender.utf8.count,
        type: type.utf8.count, stream: stream), toByteOffset: 24, as: UInt64.self)
    unsafe UnsafeMutableRawBufferPointer(rebasing: head[RecordHead.fixedBytes...])
      .copyBytes(from: names)
    self.numbering = numbering
  }

  deinit { unsafe head.deallocate() }

  /// What a record carries besides the payload and the ring's own header, in bytes.
  var headBytes: Int { unsafe head.count }

  /// Whether the messages that follow tell the mirror that their publisher waits for the disk.
  func ask(toSync: Bool) {
    let word3 = unsafe head.load(fromByteOffset: 24, as: UInt64.self)
    let bit = UInt64(RecordHead.syncBit) << 48
    unsafe head.storeBytes(
      of: toSync ? word3 | bit : word3 & ~bit, toByteOffset: 24, as: UInt64.self)
  }

  /// Publishes the next message of this stream.
  @inline(__always)
  func publish(
    _ payload: RawSpan, to lane: inout RingPublisher, timestamp: UInt64, counter: UInt64,
    wait: RingPublisher.Wait, wakes: Bool
  ) throws(RingError) -> Bool {
    let seq = unsafe numbering.last.pointee + 1
    unsafe head.storeBytes(of: seq | keyWord, toByteOffset: 0, as: UInt64.self)
    unsafe head.storeBytes(of: timestamp, toByteOffset: 8, as: UInt64.self)
    unsafe head.storeBytes(of: counter, toByteOffset: 16, as: UInt64.self)
    let published = try unsafe lane.publish(
      head: UnsafeRawBufferPointer(head), body: payload, as: numbering.listing, number: seq,
      wait: wait, wakes: wakes)
    if published { unsafe numbering.last.pointee = seq }
    return published
  }
}
