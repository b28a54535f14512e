import Glibc
import SharedRing

@testable import ConclaveBus

/// An index of idempotency keys in a directory of its own, with a clock that a test sets.
final class KeyWorld: Sendable {
  let scratch = Scratch()
  let clock = SetClock()
  let options: IdempotencyOptions
  /// What is on the bus: each key as often as it was published.
  let published = Lock<[String: Int]>([:])

  init(window: Duration = .seconds(600), capacity: Int = 1000) {
    options = IdempotencyOptions(window: window, capacity: capacity)
  }

  var path: String { "\(scratch.path)/bus/.keys/index" }

  /// As a process does that starts anew.
  func index(_ options: IdempotencyOptions? = nil) throws(BusError) -> IdempotencyIndex {
    let directory = try scratch.directory().open()
    let clock = clock
    return try IdempotencyIndex(
      in: directory, options: options ?? self.options, patience: .milliseconds(50),
      clock: { clock.moment })
  }

  /// Publishes `key` on topic `t`; true when it was published and not a duplicate.
  @discardableResult
  func publish(
    _ key: String, to index: IdempotencyIndex, topic: String = "t",
    onDoubt: ((IdempotencyIndex.Doubt) throws(BusError) -> MessageID?)? = nil
  ) throws(BusError) -> Bool {
    let outcome = try index.publishOnce(
      IdempotencyKey(key), topic: Topic(topic),
      wasPublished: { (doubt) throws(BusError) in
        guard let onDoubt else {
          throw BusError(.corrupt, "\(doubt.key) is in doubt without a reason")
        }
        return try onDoubt(doubt)
      },
      publish: { (id) throws(BusError) in
        published.withLock { $0["\(topic) \(key)", default: 0] += 1 }
        return id
      })
    guard case .published? = outcome else { return false }
    return true
  }

  /// Publishes all of a batch that is fresh; returns the ids of those, nil for duplicates.
  func publishAll(
    _ keys: [IdempotencyKey?], to index: IdempotencyIndex
  ) throws(BusError) -> [MessageID?] {
    guard
      var claim = try index.claim(
        keys, topic: Topic("t"), wait: .blocking, wasPublished: { _ throws(BusError) in nil })
    else { throw BusError(.busy, "a key is taken") }
    let ids = claim.ids
    for message in claim.fresh {
      if let id = ids[message] { claim.confirm(message, id: id) }
    }
    return ids
  }

  /// Leaves an intent behind, as a publisher does that dies.
  func die(with key: String, in index: IdempotencyIndex, topic: String = "t") throws(BusError) {
    guard
      try index.claim(
        [IdempotencyKey(key)], topic: Topic(topic), wait: .blocking,
        wasPublished: { _ throws(BusError) in nil }) != nil
    else { throw BusError(.busy, "the key is taken") }
  }
}

/// A clock that stands still until it is set.
final class SetClock: Sendable {
  private let state = Lock(
    KeyMoment(wall: 1_800_000_000_000_000_000, boot: 5_000_000_000_000, bootTag: 1))

  var moment: KeyMoment { state.withLock { $0 } }

  /// Lets time pass.
  func pass(_ time: Duration) {
    state.withLock { moment in
      moment.wall += UInt64(time.components.seconds) * 1_000_000_000
      moment.boot += UInt64(time.components.seconds) * 1_000_000_000
    }
  }

  /// Somebody sets the wall clock; time does not pass.
  func setWall(by seconds: Int64) {
    state.withLock { $0.wall &+= UInt64(bitPattern: seconds &* 1_000_000_000) }
  }

  /// The machine starts again: five seconds later by the wall clock, or at another time.
  func reboot(wallBy seconds: Int64 = 5) {
    setWall(by: seconds)
    state.withLock { moment in
      moment.boot = 1_000_000_000
      moment.bootTag += 1
    }
  }
}
