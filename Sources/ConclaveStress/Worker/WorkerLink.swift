import ConclaveBus
import Glibc
import Synchronization

/// A worker's line to its coordinator. The coordinator says `go START`, and later to subscribers
/// `ended`, when all publishers have published everything; the end of the line means: stop at once.
final class WorkerLink: Sendable {
  private let orders: Int32
  private let reports: Int32
  private let buffer = Mutex(LineBuffer())
  private let waiting = Mutex<[String]>([])
  private let publishersEnded = Atomic<Bool>(false)
  private let abandoned = Atomic<Bool>(false)
  private let finished = Atomic<Bool>(false)

  /// - Parameters:
  ///   - orders: where the coordinator writes to.
  ///   - reports: where the coordinator reads from.
  init(orders: Int32, reports: Int32) {
    self.orders = orders
    self.reports = reports
  }

  /// Whether all publishers have published everything.
  var hasEnded: Bool { publishersEnded.load(ordering: .acquiring) }
  /// Whether the coordinator is gone, or wants no more of this.
  var isAbandoned: Bool { abandoned.load(ordering: .acquiring) }

  func send(_ report: WorkerReport) {
    if !writeLine(report.line, to: reports) { abandoned.store(true, ordering: .releasing) }
  }

  /// Sends the last report. From here on the coordinator may hang up at any time.
  func finish(_ report: WorkerReport) {
    finished.store(true, ordering: .releasing)
    send(report)
  }

  /// Waits for the start and returns its time (CLOCK_MONOTONIC in nanoseconds); nil when there will
  /// be none.
  func awaitStart() -> UInt64? {
    while let line = nextLine() {
      if line.hasPrefix("go "), let start = UInt64(line.dropFirst(3)) { return start }
    }
    abandoned.store(true, ordering: .releasing)
    return nil
  }

  /// Follows the orders on a thread of its own from now on.
  /// - Parameter onAbandoned: called when the coordinator hangs up too soon, from that thread: who
  ///   waits in a publish would never notice.
  func follow(onAbandoned: @escaping @Sendable () -> Void) throws(BusError) -> StressThread {
    try StressThread { [self] in
      while let line = nextLine() {
        if line == "ended" { publishersEnded.store(true, ordering: .releasing) }
      }
      abandoned.store(true, ordering: .releasing)
      if !finished.load(ordering: .acquiring) { onAbandoned() }
    }
  }

  private func nextLine() -> String? {
    while true {
      let line = waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      if let line { return line }
      guard let lines = buffer.withLock({ $0.read(orders) }) else { return nil }
      waiting.withLock { $0 += lines }
    }
  }
}
