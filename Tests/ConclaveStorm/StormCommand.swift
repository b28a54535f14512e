import BusTesting
import ConclaveBus
import Glibc

/// Starts workers, kills them, and judges what is left.
enum StormCommand {
  static func main(_ words: [String]) async -> Int32 {
    do {
      switch (words.first, words.dropFirst().first) {
      case ("--sweep", "kills"): return try Sweep.kills() ? 0 : 1
      case ("--sweep", "errors"): return try Sweep.errors() ? 0 : 1
      case ("--sweep", "short"): return try Sweep.shortWrites() ? 0 : 1
      case ("--cuts", let count?): return try PowerCut.run(Int(count) ?? 0) ? 0 : 1
      default: return try await storm(words)
      }
    } catch {
      print("conclave-storm: \(error)")
      return 70
    }
  }

  private static func storm(_ words: [String]) async throws -> Int32 {
    guard let options = StormOptions(words) else {
      print(StormOptions.usage)
      return 2
    }
    return try await run(options) ? 0 : 1
  }

  private static func run(_ options: StormOptions) async throws -> Bool {
    let temporary = try TemporaryDirectory()
    let path = temporary.appending("bus")
    let directory = try BusDirectory(opening: path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    var storm = Storm(options, path: path, acknowledgements: temporary.appending("acknowledged"))
    let reader = try StormReader(path)
    try storm.rage()
    // Nobody is left: this process takes what the ring still has.
    let bus = try StormBus.open(path)
    try bus.publish(
      Message(type: "storm", sender: "end", payload: RawJSON(#"{"n":0,"x":""}"#)),
      to: Topic(StormBus.topics[0]), durability: .synced)
    bus.close()
    let live = try await reader.finish()
    return try judge(storm, directory, live)
  }

  private static func judge(
    _ storm: borrowing Storm, _ directory: BusDirectory, _ live: StormCheck
  ) throws -> Bool {
    var files = StormCheck()
    let bus = try FileBus(directory: directory)
    let everything = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    while let delivery = try everything.poll() { files.take(delivery) }
    let damaged = everything.losses.damaged
    let promised = storm.promised()
    let missing = promised.subtracting(files.seen)
    var faults = files.faults.map { "files: \($0)" } + live.faults.map { "subscriber: \($0)" }
    if damaged > 0 { faults.append("files: \(damaged) damaged lines") }
    if !missing.isEmpty {
      faults.append("\(missing.count) acknowledged are missing, as \(missing.sorted()[0])")
    }
    if live.seen != files.seen {
      faults.append("the subscriber had \(live.messages), the files \(files.messages)")
    }
    print(
      "\(storm.kills) kills, \(files.messages) messages in the files, \(promised.count) of them "
        + "acknowledged, \(storm.terms) times another mirror")
    for fault in faults { print("FAULT \(fault)") }
    return faults.isEmpty
  }
}
