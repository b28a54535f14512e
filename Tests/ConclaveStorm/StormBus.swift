import ConclaveBus
import Glibc
import SharedRing

/// The bus of a storm: with a ring that goes round often, so that publishers wait for the mirror
/// and large messages travel in pieces that do not fit into it.
enum StormBus {
  static let topics = ["storm.a", "storm.b", "storm.c"]

  static func open(_ path: String, isCandidate: Bool = true) throws(BusError) -> MirroredBus {
    var options = MirrorOptions(
      shared: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 256, laneCount: 64, laneBytes: 65_536, subscriptionCount: 32)))
    options.successionPatience = .seconds(60)
    options.patience = .seconds(60)
    options.isCandidate = isCandidate
    options.onWarning = { warning in
      guard warning != .mirrorTaken else { return }
      // Not print, whose buffer dies with the process.
      let line = Array("warning: \(warning)\n".utf8)
      _ = unsafe write(STDOUT_FILENO, line, line.count)
    }
    return try MirroredBus(directory: BusDirectory(opening: path), options: options)
  }
}
