/// First in, first out, in an array that is used round and round; it doubles when it is full.
struct RingQueue<Element> {
  private var storage: [Element?] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// O(1) amortised.
  mutating func append(_ element: Element) {
    if count == storage.count { grow() }
    storage[(head + count) & (storage.count - 1)] = element
    count += 1
  }

  /// Changes the oldest element in its place. O(1).
  mutating func updateFirst<R>(_ body: (inout Element) -> R) -> R? {
    guard count > 0, var first = storage[head].take() else { return nil }
    defer { storage[head] = first }
    return body(&first)
  }

  /// O(1).
  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    defer {
      head = (head + 1) & (storage.count - 1)
      count -= 1
    }
    return storage[head].take()
  }

  /// The size stays a power of two, so that an index wraps with a mask.
  private mutating func grow() {
    var larger: [Element?] = []
    larger.reserveCapacity(max(4, storage.count * 2))
    for index in 0..<count {
      larger.append(storage[(head + index) & (storage.count - 1)].take())
    }
    larger.append(contentsOf: repeatElement(nil, count: max(4, storage.count * 2) - count))
    storage = larger
    head = 0
  }
}
