import BusTesting
import Foundation
import Testing

@testable import ConclaveBus

/// Durable subscriptions in `conclave bus status`.
@Suite(.blocking) struct DurableStatusTests {
  private struct Report: Decodable {
    struct Durable: Decodable {
      struct Member: Decodable { let process: Int }
      let name: String
      let prefix: String
      let unacknowledged: Int
      let members: [Member]
      let overtaken: [String]
      let failure: String?
    }
    let durable: [Durable]
  }

  private func status(in directory: URL) throws -> (exit: Int32, durable: [Report.Durable]) {
    let outcome = try Tool.run(
      ["bus", "status", "--json", "--interval", "0", "--bus-dir", "bus"], in: directory)
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    return (outcome.exit, report.durable)
  }

  @Test func showsNamesMembersAndWhatWaits() throws {
    try withDirectory { directory in
      let bus = try MirroredBus(directory: BusDirectory(opening: directory.path + "/bus"))
      defer { bus.close() }
      let jobs = try bus.subscribe(durable: DurableName("builders"), to: TopicPrefix("jobs"))
      for number in 0..<3 {
        try bus.publish(
          Message(type: "x", sender: "s", payload: RawJSON("\(number)")), to: Topic("jobs.a"),
          durability: .mirrored)
      }
      let first = try #require(try jobs.receive(timeout: .seconds(600)))
      try jobs.acknowledge(first)
      _ = try jobs.receive(timeout: .seconds(600))
      let seen = try status(in: directory)
      #expect(seen.exit == 0 && seen.durable.count == 1)
      let durable = try #require(seen.durable.first)
      #expect(durable.name == "builders" && durable.prefix == "jobs" && durable.failure == nil)
      #expect(durable.members.map(\.process) == [Int(getpid())])
      #expect(durable.unacknowledged >= 1 && durable.overtaken == [])
      let text = try Tool.run(
        ["bus", "status", "--interval", "0", "--bus-dir", "bus"], in: directory)
      #expect(text.output.contains("durable      1\n"))
    }
  }

  @Test func namesThoseThatRetentionHasOvertaken() throws {
    try withDirectory { directory in
      let path = directory.path + "/bus"
      let bus = try MirroredBus(directory: BusDirectory(opening: path))
      try bus.subscribe(durable: DurableName("late"), to: TopicPrefix("jobs")).close()
      for number in 0..<20 {
        try bus.publish(
          Message(type: "x", sender: "s", payload: RawJSON("\(number)")), to: Topic("jobs"),
          durability: .mirrored)
        if number == 9 { _ = try bus.files.rotate(Topic("jobs")) }
      }
      #expect(try status(in: directory).durable.map(\.overtaken) == [[]])
      bus.close()
      let compact = try Tool.run(
        ["bus", "compact", "--retention", "count=10", "--bus-dir", "bus"], in: directory)
      #expect(compact.exit == 0 && compact.errors.contains("late"), "\(compact)")
      #expect(try status(in: directory).durable.map(\.overtaken) == [["jobs"]])
    }
  }

  @Test func aDamagedJournalIsDegraded() throws {
    try withDirectory { directory in
      let bus = try MirroredBus(directory: BusDirectory(opening: directory.path + "/bus"))
      try bus.subscribe(durable: DurableName("broken"), to: .all).close()
      bus.close()
      let journal = directory.path + "/bus/.durable/broken.journal"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
      bytes[3] ^= 1
      try bytes.write(to: URL(fileURLWithPath: journal))
      let seen = try status(in: directory)
      #expect(seen.exit == 6 && seen.durable.first?.failure != nil)
    }
  }
}
