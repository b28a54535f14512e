import ConclaveBus
import ConclaveRunner
import Glibc

/// `conclave bus top`: what goes through the bus, over and over.
enum TopCommand: Command {
  private static let interval = Option(
    "interval", value: "TIME", "how long to watch for each picture; default 1s")
  private static let count = Option(
    "count", value: "N", "end after so many pictures; default: not before it is told to")

  static let usage = Usage(
    "bus top", "watch who publishes, who is behind, and what grows",
    details: """
      On a terminal one picture takes the place of the other: the tasks of the run of a
      plan that is at work in the repository, then the busiest publishers, then the
      subscribers that are furthest behind, then the topics whose files grow most, as
      far as there is room. Otherwise each picture stands below the other with an empty
      line between them; with --json each is a line of what bus status --json prints,
      with the run under .run while there is one, or null while there is no bus.

      Looks from outside, as bus status does, and goes on when the bus is removed and
      comes back. Ends with exit code 3 when there is none at first.
      """,
    options: [interval, count] + Option.place,
    examples: [
      Example("watch", "conclave bus top"),
      Example(
        "log the rate, every 10 seconds",
        "conclave bus top --interval 10s --json | jq .sharedMemory.recordsPerSecond"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let interval = try arguments.duration(interval) ?? .seconds(1)
    guard interval > .zero else {
      throw usageError("--interval 0 would show no rates", hint: "write a time such as 1s")
    }
    let count = try arguments.value(count, form: "a whole number above 0") { text in
      UInt64(text).flatMap { $0 > 0 ? $0 : nil }
    }
    let location = try arguments.busLocation()
    var watch = try Watch(location)
    let isDrawn = !console.json && isatty(STDOUT_FILENO) == 1
    let screen = isDrawn ? LiveScreen.begin() : nil
    let wakeup = Wakeup()
    let interruption = try Interruption.watch(output: true) { wakeup.signal() }
    var shown: UInt64 = 0
    while shown < count ?? .max, !wakeup.wait(interval) {
      let run = FleetGlance(besideBus: location.path)
      try show(watch.look(), run, console, screen, isFirst: shown == 0)
      shown += 1
    }
    return interruption.exitCode ?? .success
  }

  private static func show(
    _ report: StatusReport?, _ run: FleetGlance?, _ console: Console, _ screen: LiveScreen?,
    isFirst: Bool
  ) throws {
    guard let screen else {
      let text = TopLines(size: nil).text(of: report, run)
      let plain = isFirst ? text : "\n" + text
      try console.output.write(console.json ? json(of: report, run) + "\n" : plain)
      return try console.output.flush()
    }
    screen.show(TopLines(size: LiveScreen.size()).linesOrWord(of: report, run))
  }

  private static func json(of report: StatusReport?, _ run: FleetGlance?) -> String {
    guard var object = report?.json else { return "null" }
    if let run { object.add("run", run.json) }
    return object.text
  }

  /// Looks at a bus again and again.
  private struct Watch {
    private let location: BusLocation
    private var last: BusSnapshot?
    private var time = ContinuousClock.now

    init(_ location: BusLocation) throws(BusError) {
      self.location = location
      last = try Watch.snapshot(location)
    }

    /// - Returns: nil while there is no bus.
    mutating func look() throws(BusError) -> StatusReport? {
      let before = last
      let start = time
      do {
        last = try Watch.snapshot(location)
      } catch  where error.code == .notFound {
        last = nil
      }
      time = .now
      return last.map { now in
        StatusReport(
          location: location, now: now, before: before,
          seconds: start.duration(to: time) / .seconds(1))
      }
    }

    /// Of what lies there now: another directory may have come in the place of the first.
    private static func snapshot(_ location: BusLocation) throws(BusError) -> BusSnapshot {
      try BusSnapshot(of: location.openDirectory(create: false))
    }
  }
}

extension TopLines {
  fileprivate func linesOrWord(of report: StatusReport?, _ run: FleetGlance?) -> [String] {
    report.map { lines(of: $0, run) } ?? ["there is no bus any more; waiting for it"]
  }

  fileprivate func text(of report: StatusReport?, _ run: FleetGlance?) -> String {
    linesOrWord(of: report, run).map { $0 + "\n" }.joined()
  }
}

extension FleetGlance {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("name", name)
    object.add("branch", branch)
    object.add("process", process)
    object.add("tasks", tasks.map(\.json))
    return object
  }
}

extension FleetGlance.Task {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("task", id)
    object.add("title", title)
    object.add("status", status)
    object.add("gate", gate.isEmpty ? nil : gate)
    object.add("iteration", iteration)
    object.add("iterations", iterations)
    object.add("secondsAtGate", seconds)
    object.add("news", news.isEmpty ? nil : news)
    return object
  }
}
