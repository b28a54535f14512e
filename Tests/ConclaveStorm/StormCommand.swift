import BusTesting
import ConclaveBus
import Glibc
import SteppedClock

/// Starts workers, kills them, and judges what is left.
enum StormCommand {
  static func main(_ words: [String]) async -> Int32 {
    var words = words
    // For all ways of running.
    if let place = words.firstIndex(of: "--defect") {
      guard place + 1 < words.count, StormDefect.choose(words[place + 1]) else { return usage() }
      words.removeSubrange(place...place + 1)
    }
    do {
      switch (words.first, words.dropFirst().first) {
      case ("--sweep", let name?):
        guard let sweep = Sweep(rawValue: name), let sample = SweepSample(words.dropFirst(2)) else {
          return usage()
        }
        return try sweep.run(sample) ? 0 : 1
      case ("--cuts", let count?): return try PowerCut.run(Int(count) ?? 0) ? 0 : 1
      case ("--fleet-defects", nil):
        return try await onThread { try FleetStorm.runDefects() } ? 0 : 1
      case ("--fleet", _?):
        guard let options = FleetStorm.Options(words) else { return usage() }
        return try await FleetStorm.run(options) ? 0 : 1
      default:
        guard let options = StormOptions(words) else { return usage() }
        return try await run(options) ? 0 : 1
      }
    } catch {
      print("conclave-storm: \(error)")
      return 70
    }
  }

  private static func usage() -> Int32 {
    print(StormOptions.usage)
    return 2
  }

  private static func run(_ options: StormOptions) async throws -> Bool {
    if options.stepsClock {
      let failure = stepped_clock_begin()
      guard failure == 0 else {
        throw SystemFailure("step the clock (not with a sanitizer)", errorNumber: failure)
      }
    }
    let temporary = try TemporaryDirectory()
    let files = StormFiles(temporary.path)
    let directory = try BusDirectory(opening: files.bus)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    var storm = Storm(options, files)
    let reader = try StormReader(files.bus)
    try storm.rage()
    // Nobody is left: this process takes what the ring still has.
    let bus = try StormBus.open(files.bus)
    try bus.publish(
      Message(type: "storm", sender: "end", payload: RawJSON(#"{"n":0,"x":""}"#)),
      to: Topic(StormBus.topics[0]), durability: .synced)
    bus.close()
    let live = try await reader.finish()
    let verdict = try StormVerdict(storm, files, live)
    verdict.say()
    if options.stepsClock {
      print("the wall clock was set \(stepped_clock_steps()) times, as this process saw it")
      guard stepped_clock_steps() > 0 else { return false }
    }
    return verdict.faults.isEmpty
  }
}
