import BusTesting
import ConclaveBus
import Glibc

/// What there is for a mirror to do.
struct StepCase {
  /// How many messages wait for it, and how large about they are,
  var burst: Int
  var burstBytes: Int
  /// and the messages of who waits for the disk.
  var bytes: Int

  /// A ring that is full, so that nobody can publish before somebody mirrors; and messages that are
  /// larger than the lane that takes them, so that they come in pieces.
  static let all = [
    StepCase(burst: StepBus.slotCount, burstBytes: 40, bytes: 120),
    StepCase(burst: 10, burstBytes: 200, bytes: 16_500),
  ]

  var title: String { "\(burst) messages, and some of \(bytes) bytes" }
}

/// A bus with a past and with work for a mirror: a mirror has ended in order, files have been
/// rotated, and a burst of messages lies in the ring that nobody has copied.
final class StepWorld {
  let bus: StepBus
  let what: StepCase
  let faults = StepFaults()
  private let temporary: TemporaryDirectory

  private static let founders = 8

  init(_ what: StepCase) throws {
    self.what = what
    temporary = try TemporaryDirectory("conclave-step")
    bus = try StepBus(root: temporary.path)
    try prepare()
  }

  private func prepare() throws(BusError) {
    let founder = try bus.open(isCandidate: true, faults)
    for number in 1...StepWorld.founders {
      try founder.publish(StepMessage(sender: "founder", number: number), bytes: 150, .mirrored)
    }
    founder.close()
    let publisher = try bus.open(isCandidate: false, faults)
    for number in 1...what.burst {
      let step = StepMessage(sender: "burst", number: number)
      try publisher.publish(step, bytes: what.burstBytes, .ring)
    }
    publisher.close()
  }

  /// Places in the log of which it is known that there is a message.
  var knownPlaces: UInt64 { UInt64(StepWorld.founders + what.burst) }

  /// How many of each sender are promised to be in the files in the end.
  var promised: [String: Int] { ["founder": StepWorld.founders, "burst": what.burst] }

  /// Has the heir, which is open as a candidate, be the mirror, and judges the files when it has
  /// mirrored everything and is closed.
  ///
  /// - Parameters:
  ///   - least: how many messages there must be of others;
  ///   - most: and how many there may be, where that is more.
  func settle(
    _ heir: MirroredBus, of bus: StepBus, least: [String: Int], most: [String: Int] = [:],
    _ faults: StepFaults
  ) throws {
    for number in 1...2 {
      try heir.publish(StepMessage(sender: "heir", number: number), bytes: 100, .synced)
    }
    if !heir.isMirror { faults.add("nobody has taken over") }
    heir.close()
    let expected = promised.merging(least) { $1 }.merging(["heir": 2]) { $1 }
    var log = StepLog(try StepFiles(reading: bus.path), mayBeTorn: false)
    log.judge(least: expected, most: expected.merging(most) { $1 })
    for fault in log.faults { faults.add(fault) }
  }
}

/// Publishes a few messages, one after the other, and waits for each until it is on the disk: on a
/// thread of its own. It closes a socket in the end.
final class StepWaiter: Sendable {
  private let bus: MirroredBus
  private let faults: StepFaults
  private let gate: Int32
  private let counts = StepCounts()

  static let messages = 2

  /// - Parameter gate: one end of a pair, which is this object's from here on.
  init(_ world: StepWorld, gate: Int32) throws(BusError) {
    (faults, self.gate) = (world.faults, gate)
    bus = try world.bus.open(isCandidate: false, faults)
    let bytes = world.what.bytes
    BlockingThreads.shared.run { [self] in
      work(bytes)
      bus.close()
      close(gate)
      counts.end()
    }
  }

  private func work(_ bytes: Int) {
    for number in 1...StepWaiter.messages {
      counts.begin(number)
      do throws(BusError) {
        try bus.publish(StepMessage(sender: "waiter", number: number), bytes: bytes, .synced)
      } catch {
        faults.add("who waits for message \(number) is told: \(error)")
        return
      }
      counts.acknowledge(number)
    }
  }

  /// How many it has begun to publish,
  var begun: Int { counts.now.begun }
  /// and of how many it was told that they are on the disk.
  var acknowledged: Int { counts.now.acknowledged }

  /// Returns when it was told of all.
  func join() { counts.awaitEnd() }
}
