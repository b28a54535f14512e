import BusTesting
import SharedRing

/// What a subscriber was handed out, in order.
struct Received: Equatable {
  struct Message: Hashable {
    let place: RingPlace
    let bytes: [UInt8]
  }

  var messages: [Message] = []
  var losses: [RingLoss] = []

  var bytes: [[UInt8]] { messages.map(\.bytes) }

  /// How many positions the losses stand for; chains cut off are none.
  var lostPositions: UInt64 {
    losses.reduce(0) { sum, loss in
      switch loss {
      case .lapped(_, let count): sum + count
      case .overwritten, .damaged: sum + 1
      case .abandoned, .headless: sum
      }
    }
  }

  var damaged: Int { losses.filter { if case .damaged = $0 { true } else { false } }.count }
  var abandoned: Int { losses.filter { if case .abandoned = $0 { true } else { false } }.count }
}

extension RingSubscriber {
  /// Everything that is there, at most `limit`.
  func readAll(limit: Int = .max) -> Received {
    var received = Received()
    _ = receive(limit: limit) {
      received.losses.append($0)
    } onMessage: { place, bytes in
      received.messages.append(
        .init(place: place, bytes: unsafe bytes.withUnsafeBytes { unsafe Array($0) }))
    }
    return received
  }
}

/// A message of `size` bytes that no other (sender, number) has from 8 bytes on.
func content(_ sender: Int, _ number: Int, size: Int) -> [UInt8] {
  var random = SplitMix64(seed: UInt64(sender) << 40 ^ UInt64(number))
  var bytes: [UInt8] = []
  bytes.reserveCapacity(size + 8)
  while bytes.count < size {
    unsafe withUnsafeBytes(of: random.next()) { unsafe bytes.append(contentsOf: $0) }
  }
  return Array(bytes.prefix(size))
}

/// A message that says who sent it and which it is; the rest follows from that.
func numbered(_ sender: Int, _ number: Int, size: Int = 16) -> [UInt8] {
  let head = [UInt64(sender), UInt64(number)]
  let start = unsafe head.withUnsafeBytes { unsafe Array($0) }
  return start + (size > 16 ? content(sender, number, size: size - 16) : [])
}

/// The sender and number of a ``numbered(_:_:size:)`` message; nil when a byte of it is not as it
/// was.
func identify(_ bytes: [UInt8]) -> (sender: Int, number: Int)? {
  guard bytes.count >= 16 else { return nil }
  let words = unsafe bytes.withUnsafeBytes {
    unsafe ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
  }
  guard let sender = Int(exactly: words.0), let number = Int(exactly: words.1),
    bytes == numbered(sender, number, size: bytes.count)
  else { return nil }
  return (sender, number)
}
