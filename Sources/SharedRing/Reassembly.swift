import CShim

/// Puts messages together that were too large for one record.
///
/// Their fragments follow each other in their lane but not in the order ring, so there is at most
/// one open chain per lane. A chain that does not go on as it began was cut off by its sender's
/// death, and is dropped. One that may have lost a fragment must be forgotten at once: what follows
/// may be the end of another message.
@usableFromInline
struct Reassembly {
  @usableFromInline
  struct Chain {
    let beginning: UInt64
    let incarnation: UInt64
    let total: Int
    var bytes: [UInt8]

    func loss(_ lane: Int) -> RingLoss {
      .abandoned(lane: lane, beginning: Array(bytes.prefix(64)))
    }
  }

  @usableFromInline
  var chains: [Int: Chain] = [:]

  @inlinable
  var isEmpty: Bool { chains.isEmpty }

  /// Takes the next record of a lane. `limit` bounds what is collected for it, in bytes.
  @usableFromInline
  mutating func take(
    _ bytes: UnsafeRawBufferPointer, kind: UInt32, _ place: RingPlace, limit: Int,
    onLoss: (RingLoss) -> Void, onMessage: (RingPlace, RawSpan) -> Void
  ) {
    switch Int(kind) {
    case CONCLAVE_WHOLE:
      abandon(place.lane, onLoss)
      unsafe onMessage(place, bytes.bytes)
    case CONCLAVE_FIRST:
      abandon(place.lane, onLoss)
      unsafe begin(bytes, place, limit: limit, onLoss)
    case CONCLAVE_MORE, CONCLAVE_LAST:
      unsafe go(on: bytes, place, isLast: kind == UInt32(CONCLAVE_LAST), onLoss, onMessage)
    default:
      onLoss(.damaged(position: place.position))
    }
  }

  /// Fragments were lost: of this lane, or nobody knows of which. That is told already.
  mutating func forget(_ lane: Int?) {
    guard let lane else { return chains.removeAll() }
    chains[lane] = nil
  }

  var openChains: [RingChain] {
    chains.sorted { $0.key < $1.key }.map { lane, chain in
      RingChain(
        lane: lane, beginning: chain.beginning, incarnation: chain.incarnation,
        total: chain.total, bytes: chain.bytes)
    }
  }

  mutating func resume(_ chains: [RingChain]) {
    for chain in chains {
      self.chains[chain.lane] = Chain(
        beginning: chain.beginning, incarnation: chain.incarnation, total: chain.total,
        bytes: chain.bytes)
    }
  }

  private mutating func begin(
    _ bytes: UnsafeRawBufferPointer, _ place: RingPlace, limit: Int, _ onLoss: (RingLoss) -> Void
  ) {
    guard bytes.count >= 8 else { return onLoss(.damaged(position: place.position)) }
    let total = unsafe bytes.loadUnaligned(as: UInt64.self)
    let rest = unsafe bytes.dropFirst(8)
    guard total <= UInt64(limit), unsafe total > UInt64(rest.count) else {
      return onLoss(.damaged(position: place.position))
    }
    var collected: [UInt8] = []
    collected.reserveCapacity(Int(total))
    unsafe collected.append(contentsOf: rest)
    chains[place.lane] = Chain(
      beginning: place.position, incarnation: place.incarnation, total: Int(total),
      bytes: collected)
  }

  /// Goes on with the lane's chain. Without one its beginning was lost or came before this
  /// subscriber.
  private mutating func go(
    on bytes: UnsafeRawBufferPointer, _ place: RingPlace, isLast: Bool,
    _ onLoss: (RingLoss) -> Void, _ onMessage: (RingPlace, RawSpan) -> Void
  ) {
    guard var chain = chains.removeValue(forKey: place.lane) else {
      if isLast { onLoss(.headless(position: place.position)) }
      return
    }
    guard chain.incarnation == place.incarnation,
      chain.bytes.count + bytes.count <= chain.total
    else { return onLoss(chain.loss(place.lane)) }
    unsafe chain.bytes.append(contentsOf: bytes)
    if !isLast {
      chains[place.lane] = chain
    } else if chain.bytes.count == chain.total {
      unsafe onMessage(place, chain.bytes.span.bytes)
    } else {
      onLoss(chain.loss(place.lane))
    }
  }

  private mutating func abandon(_ lane: Int, _ onLoss: (RingLoss) -> Void) {
    if let chain = chains.removeValue(forKey: lane) { onLoss(chain.loss(lane)) }
  }
}
