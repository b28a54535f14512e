import ConclaveBus
import SharedRing

/// The bus of a storm: with a ring that goes round often, so that publishers wait for the mirror
/// and large messages travel in pieces that do not fit into it.
enum StormBus {
  static let topics = ["storm.a", "storm.b", "storm.c"]

  static func open(
    _ path: String, isCandidate: Bool = true, whenFailing: MirrorOptions.FailurePolicy = .block,
    onFailing: (@Sendable () -> Void)? = nil
  ) throws(BusError) -> MirroredBus {
    var options = MirrorOptions(
      shared: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 256, laneCount: 64, laneBytes: 65_536, subscriptionCount: 32)))
    options.successionPatience = .seconds(60)
    options.patience = .seconds(60)
    options.isCandidate = isCandidate
    options.whenFailing = whenFailing
    options.onWarning = { warning in
      guard warning != .mirrorTaken else { return }
      Report.say("warning: \(warning)")
      if case .mirrorFailing = warning { onFailing?() }
    }
    return try MirroredBus(directory: BusDirectory(opening: path), options: options)
  }
}
