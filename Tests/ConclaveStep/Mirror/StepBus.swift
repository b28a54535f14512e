import BusTesting
import ConclaveBus
import SharedRing

/// Where the bus of one world lies, and how its participants open it: a ring so small that it is
/// full soon, and files that are rotated every few messages. All of it is below one directory, the
/// segment as well, so that a copy of it is a bus of its own.
struct StepBus: Sendable {
  let root: String

  static let topics = ["step.a", "step.b"]
  static let rotateBytes = 1200
  static let slotCount = 64

  init(root: String) throws {
    self.root = root
    try StepFiles.makeDirectory(segments)
    _ = try directory()
  }

  var path: String { "\(root)/bus" }
  private var segments: String { "\(root)/segments" }

  func directory() throws(BusError) -> BusDirectory { try BusDirectory(opening: path) }

  func segmentPath() throws(BusError) -> String {
    SharedMemoryBus.segmentPath(of: try directory(), in: segments)
  }

  /// - Parameters:
  ///   - faults: is told of what a mirror may not warn of here, where nothing is out of order.
  ///   - onTaking: called by the mirror's thread when it takes office.
  func open(
    isCandidate: Bool, _ faults: StepFaults, onTaking: @escaping @Sendable () -> Void = {}
  ) throws(BusError) -> MirroredBus {
    var options = MirrorOptions(
      shared: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: StepBus.slotCount, laneCount: 6, laneBytes: 16_384, subscriptionCount: 3,
          messageLimit: 1 << 17),
        segmentDirectory: segments),
      file: FileBusOptions(rotateBytes: StepBus.rotateBytes))
    // Nobody may wait so long that something is over by the clock: whoever waits is woken.
    options.patience = .seconds(120)
    options.successionPatience = .seconds(3600)
    options.handOverPatience = .seconds(3600)
    options.isCandidate = isCandidate
    options.onWarning = { warning in
      if warning == .mirrorTaken { onTaking() } else { faults.add("warned of \(warning)") }
    }
    return try MirroredBus(directory: directory(), options: options)
  }
}

/// What is not as it must be.
final class StepFaults: Sendable {
  private let list = Lock<[String]>([])

  func add(_ fault: String) { list.withLock { if $0.count < 10 { $0.append(fault) } } }

  var all: [String] { list.withLock { $0 } }
}
