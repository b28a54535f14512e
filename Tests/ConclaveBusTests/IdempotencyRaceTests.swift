import Glibc
import Testing

@testable import ConclaveBus

/// Threads and processes that publish the same keys, and are killed while they do.
@Suite struct IdempotencyRaceTests {
  @Test func threadsPublishEachKeyOnce() throws {
    let scratch = Scratch()
    let buses = [try scratch.bus(), try scratch.bus()]
    Processes.onThreads(8) { writer in
      for number in 0..<100 {
        #expect(throws: Never.self) { try Keyed.publish(number, to: buses[writer % 2]) }
      }
    }
    #expect(try Keyed.keys(in: scratch) == (0..<100).map { "key \($0)" }.sorted())
  }

  @Test func processesPublishEachKeyOnce() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      try Keyed.warmUp(scratch)
      let children = (0..<8).map { _ in
        Keyed.child {
          let bus = try scratch.bus()
          for number in 0..<200 { try Keyed.publish(number, to: bus) }
        }
      }
      for child in children { #expect(Keyed.wait(for: child) == 0) }
      #expect(try Keyed.keys(in: scratch) == (0..<200).map { "key \($0)" }.sorted())
    }
  }

  /// Children are killed at any moment while they publish the same keys, and others go on from
  /// what was acknowledged: every key is there once.
  @Test func killedProcessesNeitherLoseNorRepeat() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      try Keyed.warmUp(scratch)
      let count = 4000
      var generator = SeededGenerator(state: UInt64(getpid()))
      var kills = 0
      // Two at a time, so that the dead and the living meet at the same keys.
      while Keyed.acknowledged(in: scratch) < count {
        let children = (0..<2).map { _ in
          Keyed.child {
            let bus = try scratch.bus()
            for number in Keyed.acknowledged(in: scratch)..<count {
              try Keyed.publish(number, to: bus)
              Keyed.acknowledge(number, in: scratch)
            }
          }
        }
        usleep(UInt32.random(in: 500...6_000, using: &generator))
        for child in children where kill(child, SIGKILL) == 0 { kills += 1 }
        for child in children { _ = Keyed.wait(for: child) }
      }
      #expect(kills > 10)
      #expect(try Keyed.keys(in: scratch) == (0..<count).map { "key \($0)" }.sorted())
    }
  }
}

/// What the children of these tests do. They are copies of a process that had one thread of its own
/// running, and end without running anything else.
private enum Keyed {
  static func publish(_ number: Int, to bus: FileBus) throws {
    let message = Message(
      type: "test", sender: "\(getpid())", payload: try RawJSON("\(number)"),
      idempotencyKey: try IdempotencyKey("key \(number)"))
    try bus.publish(message, to: Topic("t"))
  }

  /// The keys on topic `t`, sorted.
  static func keys(in scratch: Scratch) throws -> [String] {
    try Disk.envelopes(scratch.file("t")).compactMap { $0.idempotencyKey?.text }.sorted()
  }

  /// Does once what the children do, so that none of them is the first to need something.
  static func warmUp(_ scratch: Scratch) throws {
    let other = Scratch()
    try publish(0, to: other.bus())
    acknowledge(0, in: other)
    _ = acknowledged(in: other)
    _ = try scratch.directory()
  }

  static func child(_ body: () throws -> Void) -> pid_t {
    let pid = Processes.fork()
    guard pid == 0 else { return pid }
    do { try body() } catch { _exit(1) }
    _exit(0)
  }

  /// Its exit code, or minus the signal that killed it.
  static func wait(for child: pid_t) -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : -signal
  }

  /// One byte a key, at the key's place: whoever dies between two leaves no hole behind, since the
  /// keys are published in their order.
  static func acknowledge(_ number: Int, in scratch: Scratch) {
    let file = unsafe open("\(scratch.path)/acknowledged", O_WRONLY | O_CREAT, 0o600)
    var byte: UInt8 = 1
    _ = unsafe pwrite(file, &byte, 1, off_t(number))
    close(file)
  }

  static func acknowledged(in scratch: Scratch) -> Int {
    max(0, Disk.size("\(scratch.path)/acknowledged"))
  }
}
