import CShim
import ConclaveBus
import ConclaveStress

/// How fast processes append to one topic's file, and how soon a subscriber hears of it.
enum FileBenchmark: Benchmark {
  static let name = "file"
  static let question =
    "appends a second to one topic's file, 256 bytes, and when a subscriber has them"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let publishers = setting.size(50, quick: 3)
    try appends(setting, publishers, batch: 1, setting.size(400_000, quick: 300), &record)
    try appends(setting, publishers, batch: 64, setting.size(1_600_000, quick: 1920), &record)
    let oneWay = OneWay(setting: setting, rate: 200, count: setting.size(600, quick: 20))
    let heard = try oneWay.over("file")
    record.add("heard of after, p50", Double(heard.percentile(0.5)) / 1e6, "ms")
    record.add("heard of after, p99", Double(heard.percentile(0.99)) / 1e6, "ms")
  }

  private static func appends(
    _ setting: Setting, _ publishers: Int, batch: Int, _ messages: Int, _ record: inout Record
  ) throws {
    let count = messages / publishers * publishers
    func run(subscribers: Int) throws -> StressResult {
      try StressBench(setting: setting).run { plan in
        plan.transport = .file
        plan.publishers = publishers
        plan.subscribers = subscribers
        plan.messages = count
        plan.batch = batch
      }
    }
    let name = batch == 1 ? "one by one" : "batches of \(batch)"
    let appended = try run(subscribers: 0).messagesPerSecond
    let bare = try BareAppend.perSecond(
      setting, publishers: publishers, share: count / publishers, batch: batch)
    record.add("\(name), \(publishers) processes", appended, "/s")
    record.add("\(name), bare flock + write + unlock", bare, "/s")
    record.addRatio("\(name), time: file bus / bare", bare / appended)
    let read = try run(subscribers: 1)
    record.add("\(name), until 1 subscriber has all", read.messagesPerSecond, "/s")
    var faults = FaultCount()
    faults.add(read)
    faults.record(in: &record, "\(name): ")
  }
}
