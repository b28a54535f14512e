import BusTesting
import Glibc

/// The workers and their fate.
struct Storm: ~Copyable {
  private let options: StormOptions
  private let path: String
  private let acknowledgements: String
  private var random: SplitMix64
  private var workers: [ChildProcess] = []
  private var lives = 0
  private(set) var kills = 0
  /// How often somebody else was seen to be the mirror.
  private(set) var terms = 0
  private var mirror = ""

  init(_ options: StormOptions, path: String, acknowledgements: String) {
    self.options = options
    self.path = path
    self.acknowledgements = acknowledgements
    random = SplitMix64(seed: options.seed)
  }

  /// Kills and starts again, until there were enough kills.
  mutating func rage() throws {
    for _ in 0..<options.workers { workers.append(try start()) }
    let end = ContinuousClock.now.advanced(by: .seconds(options.limit))
    var announced = ContinuousClock.now
    while kills < options.kills {
      guard ContinuousClock.now < end else {
        throw SystemFailure("reach \(options.kills) kills in time", errorNumber: ETIMEDOUT)
      }
      usleep(UInt32(random.next() % 6000))
      let victim = Int(random.next() % UInt64(workers.count))
      noteMirror()
      try kill(workers[victim])
      workers[victim] = try start()
      if announced.duration(to: .now) > .seconds(5) {
        announced = .now
        print("\(kills) of \(options.kills) kills")
      }
    }
    usleep(300_000)
    for worker in workers { try kill(worker) }
    workers = []
  }

  private mutating func kill(_ worker: ChildProcess) throws {
    worker.kill(SIGKILL)
    let exit = try worker.wait()
    kills += 1
    if !worker.standardOutput.isEmpty { print(worker.standardOutput) }
    guard exit == .signal(SIGKILL) else {
      throw SystemFailure("see a worker killed; it ended with \(exit): \(worker.standardOutput)")
    }
  }

  private mutating func start() throws -> ChildProcess {
    lives += 1
    return try ChildProcess(
      "/proc/self/exe",
      [
        StormWorker.word, path, acknowledgements, "w\(lives)", "\(random.next() >> 1)",
        "\(options.largest)",
      ])
  }

  private mutating func noteMirror() {
    let holder = TextFile.read("\(path)/.mirror.lock")
    if holder != mirror { terms += 1 }
    mirror = holder
  }

  /// What was acknowledged, as "sender number". The last line may have been cut off by a death.
  func promised() -> Set<String> {
    let text = TextFile.read(acknowledgements)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return Set(lines.dropLast().map(String.init))
  }
}
