import BusTesting
import ConclaveBus
import Glibc

/// Subscribes until it is killed or asked to end, checks what it receives, and notes in its slot's
/// file how far it came: the next life begins there.
struct StormSubscriber {
  static let word = "storm-subscriber"

  private let life: String
  private let start: String
  private let progress: RecordFile
  private let subscription: Subscription
  private var check: StormCheck
  private var run = StormRun()
  private var random: SplitMix64
  /// Publishers wait for it, and it is slow at times.
  private let isSlow: Bool

  /// Words: the bus directory, the slot's file, the life's number, the seed, `dropping` or
  /// `waiting`.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 5, let seed = UInt64(words[3]) else { return 2 }
    Farewell.listen()
    do {
      let bus = try StormBus.open(words[0], isCandidate: seed % 4 == 0)
      defer { bus.close() }
      var subscriber = try StormSubscriber(
        bus, file: words[1], life: words[2], seed: seed, isSlow: words[4] == "waiting")
      return try subscriber.read() ? 0 : 1
    } catch {
      Report.fault("subscriber \(words[2]): \(error)")
      return 70
    }
  }

  private init(
    _ bus: MirroredBus, file: String, life: String, seed: UInt64, isSlow: Bool
  ) throws {
    random = SplitMix64(seed: seed)
    let start = StormRun.start(after: RecordFile.read(file, last: 1 << 16), random.next())
    subscription = try bus.subscribe(
      "",
      options: SubscriptionOptions(
        policy: isSlow ? .backPressure(timeout: nil) : .dropping, start: start))
    check = StormCheck(isWhole: start == .beginning, beginsNow: start == .now)
    progress = RecordFile(file)
    self.life = life
    self.start = StormRun.text(start)
    self.isSlow = isSlow
    progress.append("start \(life) \(self.start)")
  }

  /// - Returns: whether all was as it must be.
  private mutating func read() throws -> Bool {
    while !Farewell.isDue, check.faults.isEmpty {
      guard let first = try subscription.receive(timeout: .milliseconds(20)) else { continue }
      take(first)
      while run.count < 256, let next = try subscription.poll() { take(next) }
      if let record = run.record(life) { progress.append(record) }
      if isSlow, random.next() % 16 == 0 { usleep(UInt32(1000 + random.next() % 4000)) }
    }
    let losses = subscription.losses
    if losses.damaged > 0 { check.fault("\(losses.damaged) damaged") }
    for fault in check.faults { Report.fault("subscriber \(life) (\(start)): \(fault)") }
    return check.faults.isEmpty
  }

  private mutating func take(_ delivery: Delivery) {
    check.take(delivery)
    if case .envelope(let envelope) = delivery { run.add(envelope) }
  }
}
