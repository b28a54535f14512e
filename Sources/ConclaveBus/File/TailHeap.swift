/// What has messages ready one after the other, and knows where the next of them stands.
protocol Placed {
  var place: FilePlace? { get }
}

/// The files that have an envelope ready, the one to deliver first on top: a binary heap.
struct TailHeap<Tail: Placed> {
  private var tails: [Tail] = []

  var first: Tail? { tails.first }

  mutating func insert(_ tail: Tail) {
    tails.append(tail)
    var index = tails.count - 1
    while index > 0, TailHeap.isBefore(tails[index], tails[(index - 1) / 2]) {
      tails.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  /// Puts the first tail, whose envelope is another one now, in its new place.
  mutating func reorderFirst() {
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < tails.count {
        if TailHeap.isBefore(tails[child], tails[least]) { least = child }
      }
      guard least != index else { return }
      tails.swapAt(least, index)
      index = least
    }
  }

  mutating func removeFirst() {
    tails.swapAt(0, tails.count - 1)
    tails.removeLast()
    if !tails.isEmpty { reorderFirst() }
  }

  private static func isBefore(_ left: Tail, _ right: Tail) -> Bool {
    guard let left = left.place, let right = right.place else { return false }
    return left < right
  }
}

/// Where a message stands among those of all files: by its place in the bus's total order where
/// both have one, else by time, then by topic.
struct FilePlace: Comparable {
  var timestamp: Timestamp
  var position: UInt64?
  var topic: Topic

  static func < (left: FilePlace, right: FilePlace) -> Bool {
    if let first = left.position, let second = right.position, first != second {
      return first < second
    }
    if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
    return left.topic.name < right.topic.name
  }
}

extension FileTail: Placed {
  /// The place of the envelope that is next.
  var place: FilePlace? {
    head.map {
      FilePlace(timestamp: $0.parts.timestamp, position: $0.parts.position, topic: topic)
    }
  }
}
