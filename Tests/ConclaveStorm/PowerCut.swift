import BusTesting
import ConclaveBus
import Glibc

/// Power cuts, on a file system of its own in a file: the image is copied while a worker publishes,
/// and the copy is what a machine would find after it had been switched off at that moment. The
/// worker is stopped for the copy, so that the copy is of one moment; nothing is flushed for it.
///
/// Needs root, for mounting. `synced` messages that were acknowledged before the cut must all be
/// there; of the others, those acknowledged longer ago than the mirror's sync interval.
enum PowerCut {
  /// How often the mirror syncs by itself, and how much longer a sync may take.
  static let interval: Duration = .milliseconds(100)
  private static let slack: UInt64 = 1_000_000_000

  static func run(_ cuts: Int) throws -> Bool {
    let temporary = try TemporaryDirectory()
    let disk = try LoopDisk(temporary.appending("disk.img"), at: temporary.appending("disk"))
    let path = "\(disk.mountPoint)/bus"
    let directory = try BusDirectory(opening: path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let acknowledged = temporary.appending("acknowledged")
    var promised = 0
    for cut in 0..<cuts {
      let worker = try ChildProcess(
        "/proc/self/exe", [CutWorker.word, path, acknowledged, "w\(cut)"])
      usleep(UInt32(30_000 + (cut * 7919) % 60_000))
      worker.kill(SIGSTOP)
      usleep(2000)
      let lines = CutWorker.acknowledgements(TextFile.read(acknowledged))
      let now = CutWorker.now()
      try disk.copy(to: temporary.appending("cut.img"))
      worker.kill(SIGKILL)
      _ = try worker.wait()
      let cutDisk = try LoopDisk(
        mounting: temporary.appending("cut.img"), at: temporary.appending("cut"))
      let seen = try read("\(cutDisk.mountPoint)/bus")
      let due = lines.filter { $0.isSynced || now - min(now, $0.time) > bound }
      promised += due.count
      if let lost = due.first(where: { !seen.contains($0.name) }) {
        print("FAULT cut \(cut): \(lost.name) is lost, of \(due.count) that were promised")
        return false
      }
      try cutDisk.unmount()
      if cut % 20 == 19 { print("\(cut + 1) cuts, nothing lost") }
    }
    print("\(cuts) cuts, \(promised) looks for what was promised, nothing lost")
    return promised > cuts
  }

  private static var bound: UInt64 {
    UInt64(interval.components.attoseconds / 1_000_000_000) + slack
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

/// An ext4 file system in a file.
struct LoopDisk: ~Copyable {
  let image: String
  let mountPoint: String

  /// Makes and mounts one.
  init(_ image: String, at mountPoint: String) throws {
    try LoopDisk.run(["truncate", "-s", "256M", image])
    try LoopDisk.run(["mkfs.ext4", "-q", image])
    try self.init(mounting: image, at: mountPoint)
  }

  init(mounting image: String, at mountPoint: String) throws {
    unsafe mkdir(mountPoint, 0o700)
    try LoopDisk.run(["mount", "-o", "loop", image, mountPoint])
    self.image = image
    self.mountPoint = mountPoint
  }

  deinit { _ = try? LoopDisk.run(["umount", "-l", mountPoint]) }

  func copy(to path: String) throws {
    try LoopDisk.run(["cp", "--sparse=always", image, path])
  }

  func unmount() throws { try LoopDisk.run(["umount", mountPoint]) }

  private static func run(_ words: [String]) throws {
    let child = try ChildProcess(words[0], Array(words.dropFirst()))
    guard try child.wait() == .code(0) else {
      throw SystemFailure("\(words.joined(separator: " ")): \(child.standardError)")
    }
  }
}
