/// What a member was handed out and has not acknowledged, in the order of its deliveries.
struct DurableHand: Sendable {
  private struct Held {
    var number: UInt64
    var id: MessageID
  }

  private struct Place {
    var number: UInt64
    var position: UInt64
  }

  private var held: [UInt64: Held] = [:]
  /// Rising by number. Some of them are not held any more.
  private var places: [Place] = []
  /// What lies before it is not held any more.
  private var first = 0
  private var lastNumber: UInt64 = 0

  var count: Int { held.count }

  /// - Returns: the delivery's number.
  mutating func add(_ position: UInt64, _ id: MessageID) -> UInt64 {
    lastNumber += 1
    held[position] = Held(number: lastNumber, id: id)
    places.append(Place(number: lastNumber, position: position))
    return lastNumber
  }

  mutating func remove(_ position: UInt64) {
    guard held.removeValue(forKey: position) != nil else { return }
    while first < places.count, !isHeld(places[first]) { first += 1 }
    // Now and then, so that it costs next to nothing on average.
    if places.count > 2 * held.count + 256 {
      places = places[first...].filter { isHeld($0) }
      first = 0
    }
  }

  private func isHeld(_ place: Place) -> Bool { held[place.position]?.number == place.number }

  /// The places of the deliveries up to this one, rising.
  func first(upTo number: UInt64) -> [UInt64] {
    // Redelivered ones lie before those that were new.
    places[first...].prefix { $0.number <= number }.filter { isHeld($0) }.map(\.position).sorted()
  }

  /// O(unacknowledged).
  func position(of id: MessageID) -> UInt64? { held.first { $0.value.id == id }?.key }

  func holds(_ position: UInt64) -> Bool { held[position] != nil }
}
