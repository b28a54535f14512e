import BusTesting
import ConclaveBus
import Glibc

/// Power cuts, on a file system of its own in a file: the image is copied while a worker publishes,
/// and the copy is what a machine would find after it had been switched off at that moment. The
/// worker is stopped for the copy, so that the copy is of one moment; nothing is flushed for it.
///
/// Needs root, for mounting. `synced` messages that were acknowledged before the cut must all be
/// there; of the others, those acknowledged longer ago than the mirror's sync interval. In one
/// ``CutWorld`` nobody waits for the disk, so that it is the interval that is tried.
enum PowerCut {
  /// How often the mirror syncs by itself.
  static let interval: Duration = .milliseconds(100)

  static func run(_ cuts: Int) throws -> Bool {
    try CutWorld.allCases.allSatisfy { try run($0.share(cuts), $0) }
  }

  private static func run(_ cuts: Int, _ world: CutWorld) throws -> Bool {
    let temporary = try TemporaryDirectory()
    let disk = try LoopDisk(temporary.appending("disk.img"), at: temporary.appending("disk"))
    let path = "\(disk.mountPoint)/bus"
    let directory = try BusDirectory(opening: path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let acknowledged = temporary.appending("acknowledged")
    var promised = 0
    var cut = 0
    // Where the machine had no time for its workers there is nothing to look at; that may pass.
    while cut < cuts || promised == 0 && cut < cuts + 20 {
      let before = TextFile.size(acknowledged)
      let worker = try ChildProcess(
        "/proc/self/exe", [CutWorker.word, path, acknowledged, "w\(cut)", world.rawValue])
      try awaitGrowth(of: acknowledged, from: before)
      usleep(world.life(cut))
      worker.kill(SIGSTOP)
      usleep(2000)
      let lines = CutWorker.acknowledgements(TextFile.read(acknowledged))
      let now = CutWorker.now()
      // A name of its own: while a mount is kept by anybody, and be it by a name space that was
      // made meanwhile, `mount` gives what is there of an image of the same name for the new one.
      let image = temporary.appending("cut-\(cut).img")
      try disk.copy(to: image)
      worker.kill(SIGKILL)
      _ = try worker.wait()
      let cutDisk = try LoopDisk(mounting: image, at: temporary.appending("cut"))
      let seen = try read("\(cutDisk.mountPoint)/bus")
      let wasStarved = CutWorker.wasStarved("w\(cut)", lines, by: now)
      let due = lines.filter { line in
        line.isSynced || !wasStarved && now - min(now, line.time) > bound(world)
      }
      promised += due.count
      if let lost = due.first(where: { !seen.contains($0.name) }) {
        print(
          "FAULT cut \(cut), \(world): \(lost.name) is lost, of \(due.count) that were promised; "
            + (lost.isSynced ? "it was said to be on the disk" : "it was said to be in the file"))
        return false
      }
      try cutDisk.unmount()
      unsafe unlink(image)
      cut += 1
      if cut % 20 == 0 { print("\(cut) cuts, \(world), nothing lost") }
    }
    print("\(cut) cuts, \(world), \(promised) looks for what was promised, nothing lost")
    if promised == 0 { print("FAULT \(world): nothing was promised") }
    return promised > 0
  }

  private static func awaitGrowth(of path: String, from size: Int) throws {
    let limit = CutWorker.now() + 60_000_000_000
    while TextFile.size(path) <= size {
      guard CutWorker.now() < limit else {
        throw SystemFailure("wait for a worker to publish", errorNumber: ETIMEDOUT)
      }
      usleep(1000)
    }
  }

  private static func bound(_ world: CutWorld) -> UInt64 {
    UInt64(interval.components.attoseconds / 1_000_000_000) + world.slack
  }

  private static func read(_ path: String) throws -> Set<String> {
    var check = StormCheck()
    let bus = try FileBus(directory: BusDirectory(opening: path))
    let all = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    while let delivery = try all.poll() {
      // Gaps and damage are what a power cut may leave; a message that is there must be whole.
      if case .envelope = delivery { check.take(delivery) }
    }
    return check.seen
  }
}
