import ConclaveBus
import Glibc

/// `conclave bus status`: what is there, who takes part, and how much goes through.
enum StatusCommand: Command {
  private static let interval = Option(
    "interval", value: "TIME",
    "how long to watch for the rates; default 200ms, 0 for no rates")

  static let usage = Usage(
    "bus status", "show the segment, who takes part, lag, losses, rates and files",
    details: """
      Looks from outside, beside running publishers and subscribers, without
      disturbing them. Ends with exit code 3 when there is no bus, with 6 when the
      segment holds what no participant wrote, or a durable subscription's journal
      is damaged.

      A lane belongs to one publishing process, a row to one subscription. A dead
      one's owner is gone; the next that needs one takes it over. The mirror has a
      row, too: it copies everything into the topic files, and its lag is how many
      records are not there yet.
      """,
    options: [interval] + Option.place,
    examples: [
      Example("look once", "conclave bus status"),
      Example(
        "the greatest lag of a subscriber",
        "conclave bus status --json | jq '[.sharedMemory.subscribers[].lag] | max'"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let interval = try arguments.duration(interval) ?? .milliseconds(200)
    let location = try arguments.busLocation()
    let directory = try arguments.busDirectory(create: false)
    let first = try BusSnapshot(of: directory)
    var report = StatusReport(location: location, now: first, before: nil, seconds: 0)
    if interval > .zero {
      let start = ContinuousClock.now
      sleep(for: interval)
      report = StatusReport(
        location: location, now: try BusSnapshot(of: directory), before: first,
        seconds: start.duration(to: .now) / .seconds(1))
    }
    try console.output.write(console.json ? report.json.text + "\n" : report.text)
    let isSound = report.now.sharedMemory?.damage.isNone ?? true
    return isSound && report.now.durable.allSatisfy { $0.failure == nil } ? .success : .degraded
  }

  private static func sleep(for duration: Duration) {
    let end = ContinuousClock.now + duration
    // In slices, because a signal or a rounded-down microsecond may end one early.
    while true {
      let left = ContinuousClock.now.duration(to: end) / .microseconds(1)
      guard left > 0 else { return }
      usleep(UInt32(min(left.rounded(.up), 500_000)))
    }
  }
}

/// A bus at one moment.
struct BusSnapshot {
  let sharedMemory: SharedMemoryStatus?
  let files: [TopicFileStatus]
  /// The processes that take part through files, as far as can be seen.
  var fileProcesses: [UInt32] = []
  var unusableFiles: [UnusableTopicFile] = []
  var durable: [DurableStatus] = []
}

extension BusSnapshot {
  init(of directory: BusDirectory) throws(BusError) {
    self.init(
      sharedMemory: try SharedMemoryBus.status(of: directory),
      files: try FileBus.status(of: directory),
      fileProcesses: FileBus.participants(of: directory),
      unusableFiles: try FileBus.unusableFiles(of: directory),
      durable: try MirroredBus.durableSubscriptions(of: directory))
  }
}
