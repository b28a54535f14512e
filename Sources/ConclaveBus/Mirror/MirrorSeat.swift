import SharedRing

/// This process's candidature for a bus's mirror, shared by all ``MirroredBus`` objects on it, and
/// ended with the last of them.
final class MirrorSeat: Sendable {
  private let candidate: MirrorCandidate
  private let mark = ProcessMark()

  private init(_ candidate: MirrorCandidate) { self.candidate = candidate }

  deinit { if !mark.isForked { candidate.end() } }

  /// Whether this process is the mirror.
  var isSeated: Bool { candidate.isSeated }

  /// The candidature of this process for the bus at `location`, begun when there is none.
  ///
  /// - Throws: `busy` when another bus is being mirrored into the directory; `permissionDenied`
  ///   when it cannot be written; `incompatible`, `noSpace`, `exhausted`, `system`.
  static func shared(
    _ directory: BusDirectory, _ location: RingLocation, _ options: MirrorOptions
  ) throws(BusError) -> MirrorSeat {
    try seats.withLock { (seats) throws(BusError) in
      if let seat = seats[location]?.seat, !seat.mark.isForked { return seat }
      let candidate = try MirrorCandidate(directory, location, options)
      try candidate.begin()
      let seat = MirrorSeat(candidate)
      seats = seats.filter { $0.value.seat != nil }
      seats[location] = Held(seat: seat)
      return seat
    }
  }

  private struct Held {
    weak var seat: MirrorSeat?
  }

  private static let seats = Lock<[RingLocation: Held]>([:])
}
