import CShim
import ConclaveBus
import Glibc

/// The mirror's part: sees that everything comes into the files, and when.
struct MirrorRun {
  private let directory: BusDirectory
  private let link: WorkerLink

  init(_ directory: BusDirectory, _ link: WorkerLink) {
    self.directory = directory
    self.link = link
  }

  /// Until everything is in the files that was published; nil when the coordinator hangs up.
  func run() throws(BusError) -> MirrorResult? {
    while !link.hasEnded {
      if link.isAbandoned { return nil }
      if let mirror = try SharedMemoryBus.status(of: directory)?.mirror {
        link.send(.progress(mirror.messages))
      }
      // The publishers' end is waited for in short naps: the lag is to be that of just then.
      for _ in 0..<100 where !link.hasEnded { usleep(1000) }
    }
    var lag: UInt64?
    while !link.isAbandoned {
      guard let mirror = try SharedMemoryBus.status(of: directory)?.mirror else { return nil }
      lag = lag ?? mirror.lag
      if mirror.lag == 0 {
        return MirrorResult(lag: lag ?? 0, finished: conclave_monotonic_ns())
      }
      usleep(500)
    }
    return nil
  }
}
