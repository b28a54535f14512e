import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// Sessions of many processes on one directory.
@Suite struct SessionRaceTests {
  /// Sixteen at once: one has the directory, and the others are told by whom it is taken; what a
  /// dead one had left is in the archive once, and whole.
  @Test(arguments: [false, true])
  func oneOfSixteen(_ isStale: Bool) async throws {
    let world = SessionWorld()
    if isStale { try await world.dieInSession(mirrored: true) }
    let (path, bus) = (world.path, world.bus)
    let judge = Task {
      try await onThread {
        _ = try waitUntil("all are ready") { Disk.lines("\(path)/ready").count == 16 ? true : nil }
        Disk.write("\(path)/go", [])
        _ = try waitUntil("all have tried") { Disk.lines("\(path)/said").count == 16 ? true : nil }
        Disk.write("\(path)/leave", [])
      }
    }
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<16 {
        group.addTask {
          await #expect(processExitsWith: .success) {
            [path = path as String, bus = bus as String, index = index as Int] in
            SessionRacer.run(path, bus, index)
          }
        }
      }
    }
    try await judge.value
    let said = Disk.lines("\(path)/said").map { String(decoding: $0, as: UTF8.self) }
    let winners = said.filter { $0.hasPrefix("won ") }
    #expect(winners.count == 1)
    let pid = try #require(winners.first?.split(separator: " ").last)
    let told = said.filter { $0.contains(" taken by process \(pid), session run-") }
    #expect(told.count == 15, "\(said)")
    #expect(world.archived == (isStale ? ["dead/wave-0"] : []))
    if isStale {
      let file = "\(path)/.conclave/archive/dead/wave-0/t.jsonl"
      #expect(try Disk.envelopes(file).count == 10)
    }
  }

  /// Processes begin, publish and end again and again, and are killed at random: at most one has
  /// the directory at any time, and nothing is left in the end that a last one could not clear.
  @Test func killsAtRandom() async throws {
    let world = SessionWorld()
    let (path, bus) = (world.path, world.bus)
    await withTaskGroup(of: Void.self) { group in
      for member in 0..<3 {
        group.addTask {
          for round in 0..<6 {
            let life = 5 + (member * 37 + round * 61) % 90
            await #expect(processExitsWith: .signal(SIGKILL)) {
              [path = path as String, bus = bus as String, life = life as Int] in
              SessionRacer.repeatUntilKilled(path, bus, milliseconds: life)
            }
          }
        }
      }
    }
    #expect(Disk.size("\(path)/violated") < 0)
    let segment = SharedMemoryBus.segmentPath(of: try BusDirectory(opening: bus))
    let last = try world.begin("last") { $0.kept = 1000 }
    #expect(Disk.size(segment) < 0)
    #expect(world.archived.count > 3)
    try last.end()
    #expect(!world.exists(".conclave/bus/wave-0"))
  }
}

/// What the processes of these tests do.
enum SessionRacer {
  static func run(_ path: String, _ bus: String, _ index: Int) {
    Disk.append("\(path)/ready", "\(index)\n")
    _ = try? waitUntil("the start") { Disk.size("\(path)/go") >= 0 ? true : nil }
    do {
      let session = try SessionWorld.begin("run-\(index)", at: bus)
      Disk.append("\(path)/said", "won \(getpid())\n")
      _ = try waitUntil("the end") { Disk.size("\(path)/leave") >= 0 ? true : nil }
      session.abandon()
    } catch { Disk.append("\(path)/said", "\(error)\n") }
  }

  /// - Parameter milliseconds: of work: a loaded machine would let it do nothing in a short time.
  static func repeatUntilKilled(_ path: String, _ bus: String, milliseconds: Int) {
    // In microseconds, by POSIX.
    let end = clock() + milliseconds * 1000
    Task.detached {
      while clock() < end { usleep(200) }
      kill(getpid(), SIGKILL)
    }
    while true {
      do {
        let session = try SessionWorld.begin("run-\(getpid())", at: bus) { $0.kept = 1000 }
        let judge = OwnedDescriptor(unsafe open("\(path)/judge", O_RDWR | O_CREAT, 0o600))
        if !lock(judge, F_WRLCK) { Disk.write("\(path)/violated", []) }
        let shared = try MirroredBus(directory: session.directory)
        try shared.publish(
          Message(type: "test", sender: "a", payload: RawJSON("1")), to: Topic("t"))
        shared.close()
        _ = lock(judge, F_UNLCK)
        try session.end()
      } catch { usleep(500) }
    }
  }

  /// Only one can have the directory: the lock of a file beside it says so. A lock of the process,
  /// which the kernel gives back while it closes the files of one that was killed. Those that
  /// belong to open files, as the session's does, go later, in any order, and somebody else may
  /// have the directory between two of them.
  private static func lock(_ judge: OwnedDescriptor, _ type: Int32) -> Bool {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_len = 1
    return unsafe fcntl(judge.number, F_SETLK, &lock) == 0
  }
}
