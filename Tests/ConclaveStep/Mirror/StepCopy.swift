import BusTesting
import ConclaveBus

/// What is there at one moment, copied to another place: as if the mirror's process, and all the
/// others, had died just then.
struct StepCopy {
  let files: StepFiles
  /// Of who waits: of how many messages it was told, and how many it had begun to publish.
  let acknowledged: Int
  let begun: Int
  private let temporary: TemporaryDirectory
  private let world: StepWorld
  private let bus: StepBus
  private let segment: [UInt8]
  /// How far the mirror said that it was.
  private let mirrored: UInt64

  /// Of a world whose mirror stands still. Who waits in it goes on: what it was told of is asked
  /// before, and what it has begun behind.
  init(_ episode: StepEpisode, _ files: StepFiles) throws {
    self.files = files
    world = episode.world
    temporary = try TemporaryDirectory("conclave-step")
    bus = try StepBus(root: temporary.path)
    acknowledged = episode.waiter.acknowledged
    (segment, mirrored) = episode.segment.copy(for: bus.path)
    begun = episode.waiter.begun
  }

  /// - Returns: what is not as it must be.
  func judge() throws -> [String] {
    let faults = StepFaults()
    judgePromises(faults)
    try files.write(to: bus.path)
    try StepFiles.write(segment, to: bus.segmentPath())
    do {
      let heir = try bus.open(isCandidate: true, faults)
      if !heir.isMirror { faults.add("the successor does not take over at once") }
      try world.settle(
        heir, of: bus, least: ["waiter": acknowledged], most: ["waiter": begun], faults)
    } catch { faults.add("the successor cannot go on: \(error)") }
    return faults.all
  }

  /// What was promised is in the files, before anybody comes.
  private func judgePromises(_ faults: StepFaults) {
    var log = StepLog(files, mayBeTorn: true)
    for place in 0..<min(mirrored, world.knownPlaces) where !log.positions.contains(place) {
      faults.add("\(mirrored) are said to be mirrored, and \(place) is in no file")
    }
    log.judge(
      least: ["waiter": acknowledged],
      most: world.promised.merging(["waiter": begun]) { $1 })
    for fault in log.faults { faults.add(fault) }
  }
}
