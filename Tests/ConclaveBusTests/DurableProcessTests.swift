import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// Members in processes of their own, which are killed.
@Suite struct DurableProcessTests {
  /// Members come, are killed at any moment, and others take over, while somebody publishes: every
  /// message is acknowledged in the end, and none is delivered after its acknowledgement returned.
  @Test func nothingIsLostWhoeverIsKilled() async throws {
    let scratch = Scratch()
    let directory = try scratch.directory()
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let bus = try MirroredBus(directory: directory)
    // The name's log begins here.
    try bus.subscribe(durable: "n", to: "t").close()
    let count = 6000
    let path = scratch.path
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        try? await onThread {
          let publisher = try bus.publisher(topic: Topic("t.a"), sender: "s", type: "n")
          for number in 0..<count {
            try publisher.publish(RawJSON("\(number)"))
            if number % 50 == 0 { usleep(15_000) }
          }
        }
      }
      for member in 0..<3 {
        group.addTask {
          for round in 0..<8 {
            let life = 20 + (member * 37 + round * 61) % 150
            await #expect(processExitsWith: .signal(SIGKILL)) {
              [path = path as String, life = life as Int] in
              DurableMemberProcess.run(in: path, until: life)
            }
          }
        }
      }
    }
    let last = try bus.subscribe(
      durable: "n", to: "t", options: DurableOptions(retryLimit: 1000))
    let log = "\(path)/log"
    try await onThread {
      while true {
        guard let delivery = try last.receive(timeout: .milliseconds(100)) else {
          let status = try MirroredBus.durableSubscriptions(of: directory).first
          if status?.lag == 0, status?.unacknowledged == 0 { break }
          continue
        }
        DurableMemberProcess.note("d", delivery, in: path)
        try last.acknowledge(delivery)
        DurableMemberProcess.note("a", delivery, in: path)
      }
    }
    let status = try #require(MirroredBus.durableSubscriptions(of: directory).first)
    #expect(status.unacknowledged == 0 && status.lag == 0 && status.members.count == 1)
    var delivered: [Int: Int] = [:]
    var acknowledged: Set<Int> = []
    for line in Disk.lines(log).map({ String(decoding: $0, as: UTF8.self) }) {
      let value = try #require(Int(line.dropFirst(2)))
      if line.hasPrefix("a") {
        acknowledged.insert(value)
      } else {
        #expect(!acknowledged.contains(value), "\(value) came again")
        delivered[value, default: 0] += 1
      }
    }
    // Who was killed may have acknowledged one without having said so.
    #expect(delivered.keys.sorted() == Array(0..<count))
    #expect(acknowledged.count >= count - 24)
    #expect(delivered.values.contains { $0 > 1 })
    #expect(delivered.values.count { $0 > 1 } < count)
  }

  /// What a killed member had goes to another that sleeps, though nobody publishes anything.
  @Test func aSleepingMemberTakesOver() async throws {
    let scratch = Scratch()
    let directory = try scratch.directory()
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let bus = try MirroredBus(directory: directory)
    let subscription = try bus.subscribe(durable: "n", to: "t")
    let path = scratch.path
    async let rest = onThread {
      // The other one has everything, and has acknowledged the first.
      _ = try waitUntil("it has claimed") { Disk.size("\(path)/claimed") >= 0 ? true : nil }
      let status = try #require(MirroredBus.durableSubscriptions(of: directory).first)
      #expect(status.members.map(\.unacknowledged) == [0, 39])
      #expect(try subscription.receive(timeout: .milliseconds(200)) == nil)
      Disk.write("\(path)/die", [])
      return try subscription.take(39)
    }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let bus = try MirroredBus(directory: BusDirectory(opening: "\(path)/bus"))
      let subscription = try bus.subscribe(durable: "n", to: "t")
      try bus.say(0..<40)
      let taken = try subscription.take(10)
      try await subscription.acknowledge(taken[0])
      Disk.write("\(path)/claimed", [])
      _ = try waitUntil("its end") { Disk.size("\(path)/die") >= 0 ? true : nil }
      kill(getpid(), SIGKILL)
    }
    let taken = try await rest
    #expect(taken.map(\.value) == Array(1..<40))
    #expect(taken.allSatisfy { $0.redelivered && $0.attempt == 2 })
  }

  /// A message that kills whoever gets it is given up; what lies beside it is not.
  @Test func aMessageThatKillsIsGivenUp() async throws {
    let scratch = Scratch()
    let directory = try scratch.directory()
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let bus = try MirroredBus(directory: directory)
    let dead = try bus.subscribe("dead-letter.n")
    try bus.subscribe(durable: "n", to: "t").close()
    try bus.say(0..<30)
    let path = scratch.path
    for _ in 0..<3 {
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
        let bus = try MirroredBus(directory: BusDirectory(opening: "\(path)/bus"))
        let subscription = try bus.subscribe(
          durable: "n", to: "t", options: DurableOptions(retryLimit: 3))
        while let delivery = try subscription.receive(timeout: hangLimit) {
          if delivery.value == 7 { kill(getpid(), SIGKILL) }
          try await subscription.acknowledge(delivery)
        }
      }
    }
    let last = try bus.subscribe(durable: "n", to: "t", options: DurableOptions(retryLimit: 3))
    let rest = try last.take(22)
    #expect(rest.map(\.value) == Array(8..<30))
    #expect(rest.allSatisfy { $0.attempt == 2 })
    let letter = try #require(try dead.receive(timeout: hangLimit)?.envelope)
    #expect(letter.payload.description.contains(#""attempts":3"#))
    #expect(letter.payload.description.contains(#""payload":7"#))
  }

  @Test func inTheChildOfAForkNothingWorks() async {
    await #expect(processExitsWith: .success) {
      let fixture = try MirroredFixture()
      let bus = try fixture.bus()
      let subscription = try bus.subscribe(durable: "n")
      let child = Processes.fork()
      if child == 0 {
        do throws(BusError) {
          _ = try subscription.poll()
          _exit(1)
        } catch { _exit(error.code == .forked ? 0 : 2) }
      }
      var status: Int32 = -1
      #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
    }
  }
}

/// What a member does until it is killed.
enum DurableMemberProcess {
  static func note(_ what: String, _ delivery: DurableDelivery, in path: String) {
    Disk.append("\(path)/log", "\(what) \(delivery.value)\n")
  }

  static func run(in path: String, until life: Int) {
    do {
      let bus = try MirroredBus(directory: BusDirectory(opening: "\(path)/bus"))
      let subscription = try bus.subscribe(
        durable: "n", to: "t", options: DurableOptions(retryLimit: 1000, prefetch: 16))
      Task.detached {
        usleep(UInt32(life) * 1000)
        kill(getpid(), SIGKILL)
      }
      while let delivery = try subscription.receive() {
        note("d", delivery, in: path)
        if delivery.value % 3 == 0 {
          try subscription.acknowledge(delivery)
          note("a", delivery, in: path)
        } else if delivery.value % 3 == 1 {
          usleep(300)
          try subscription.acknowledge(delivery)
          note("a", delivery, in: path)
        }
      }
    } catch { print(error) }
  }
}
