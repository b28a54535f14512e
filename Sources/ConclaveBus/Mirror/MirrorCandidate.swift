import CShim
import Glibc
import SharedRing

/// The thread that waits to become the mirror, and is it then.
final class MirrorCandidate: Sendable {
  private let lock: MirrorLock
  private let bus: FileBus
  private let directory: BusDirectory
  private let location: RingLocation
  private let options: MirrorOptions
  private let stop = RingCancellation()
  private let changed = Event()
  private let state = Lock(State())

  private struct State {
    enum Stage { case starting, waiting, seated, ended }
    var stage = Stage.starting
    /// While it is seated.
    var ring: RingSubscriber?
    /// Why it could not take office at the first attempt.
    var failure: BusError?

    /// Whether somebody still waits for the beginning: then its failure is theirs to know.
    mutating func refuse(_ error: BusError) -> Bool {
      guard stage == .starting else { return false }
      failure = error
      return true
    }
  }

  /// - Throws: as ``MirrorSeat/shared(_:_:_:)``.
  init(
    _ directory: BusDirectory, _ location: RingLocation, _ options: MirrorOptions
  ) throws(BusError) {
    lock = try MirrorLock(in: directory, segment: location.path)
    bus = try FileBus(directory: directory, options: options.file)
    self.directory = directory
    self.location = location
    self.options = options
  }

  var isSeated: Bool { state.withLock { $0.stage == .seated } }

  /// Starts the thread, and returns when it is the mirror or waits for another one's death.
  func begin() throws(BusError) {
    let isFree = try lock.tryTake()
    BlockingThreads.shared.run { [self] in
      work(hasLock: isFree)
      enter(.ended)
    }
    wait(until: .distant) { $0.stage != .starting }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Ends its office: what has been published by now is mirrored first, within seconds. A thread
  /// that waits for the lock ends when it gets it.
  func end() {
    stop.raise()
    state.withLock { $0.ring }?.interrupt()
    wait(until: .seconds(10)) { $0.stage == .waiting || $0.stage == .ended }
    // The thread keeps this object a little longer, or until it gets the lock; the directory is to
    // be unused when this returns.
    if !isSeated { bus.close() }
  }

  // MARK: The thread

  private func work(hasLock: Bool) {
    var hasLock = hasLock
    var said: String?
    while !stop.isRaised {
      do throws(BusError) {
        if !hasLock {
          enter(.waiting)
          try lock.take()
        }
        hasLock = false
        defer { lock.giveBack() }
        if !stop.isRaised { try serve() }
      } catch {
        if state.withLock({ $0.refuse(error) }) { return }
        if error.message != said { options.onWarning?(.mirrorRefused(reason: error.message)) }
        said = error.message
        rest()
      }
    }
  }

  private func serve() throws(BusError) {
    // Whoever has a directory that others find comes first.
    try MirrorPlace.check(directory)
    let mirror = try Mirror(
      bus: bus, place: MirrorPlace(directory), location: location, options: options, until: stop)
    enter(.seated, mirror.ring)
    options.onWarning?(.mirrorTaken)
    mirror.run()
  }

  /// Others may do better; then it is tried again.
  private func rest() {
    let end = conclave_monotonic_ns() + 1_000_000_000
    while !stop.isRaised, conclave_monotonic_ns() < end {
      conclave_pace_until(conclave_monotonic_ns() + 50_000_000)
    }
  }

  private func enter(_ stage: State.Stage, _ ring: RingSubscriber? = nil) {
    state.withLock { state in
      state.stage = stage
      state.ring = ring
    }
    changed.signal()
  }

  private enum Patience {
    case distant
    case seconds(Int)
  }

  private func wait(until patience: Patience, _ condition: (borrowing State) -> Bool) {
    let deadline: ContinuousClock.Instant? =
      if case .seconds(let seconds) = patience { .now.advanced(by: .seconds(seconds)) } else { nil }
    while deadline.map({ .now < $0 }) ?? true {
      let ticket = changed.prepareToWait()
      if state.withLock({ condition($0) }) { return }
      changed.wait(ticket, until: deadline)
    }
  }
}
