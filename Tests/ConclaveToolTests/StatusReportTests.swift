import Testing

@testable import ConclaveBus
@testable import ConclaveTool

/// What `status` makes of two looks at a segment.
@Suite struct StatusReportTests {
  private static let location = "/bus"

  private func segment(generation: String = "0123", position: UInt64, messages: UInt64)
    -> SharedMemoryStatus
  {
    SharedMemoryStatus(
      path: "/dev/shm/segment", bytes: 17_825_792, reservedBytes: 786_432, layoutVersion: 1,
      generation: generation, created: Timestamp(nanosecondsSinceEpoch: 0), slotCount: 65536,
      laneCount: 64, laneBytes: 262_144, subscriberCount: 32, messageLimit: 16_777_216,
      position: position,
      lanes: [
        .init(index: 0, isLive: true, process: 4242, incarnation: 7, messages: messages),
        .init(index: 11, isLive: false, process: 17, incarnation: 5, messages: 3),
      ],
      subscribers: [
        .init(
          index: 0, isLive: true, process: 99, hasBackPressure: true, prefix: "",
          position: position - 2, lag: 2,
          lost: 0),
        .init(
          index: 1, isLive: true, process: 100, hasBackPressure: false, prefix: "a.b",
          position: position, lag: 0,
          lost: 12),
      ])
  }

  private func report(
    _ now: SharedMemoryStatus, before: SharedMemoryStatus?, seconds: Double
  ) throws -> StatusReport {
    StatusReport(
      location: try BusLocation.find(option: Self.location),
      now: BusSnapshot(sharedMemory: now, files: []),
      before: before.map { BusSnapshot(sharedMemory: $0, files: []) }, seconds: seconds)
  }

  @Test func text() throws {
    let report = try report(
      segment(position: 1500, messages: 1400), before: segment(position: 1000, messages: 1000),
      seconds: 0.5)
    let created = Timestamp(nanosecondsSinceEpoch: 0)
    #expect(
      report.text == """
        bus          /bus
        segment      /dev/shm/segment, layout 1, made \(created)
                     17.0 MiB, of them 768.0 KiB in memory
        geometry     65536 slots, 64 lanes of 256.0 KiB, 32 rows, messages up to 16.0 MiB
        records      1500, 1000.0 per second
        lanes        1 live, 1 dead
          LANE  STATE   PID  MESSAGES  PER SECOND
             0  live   4242      1400       800.0
            11  dead     17         3         0.0
        subscribers  2 live, 0 dead, 12 messages lost
          ROW  STATE  PID  POLICY         POSITION  LAG  LOST  PREFIX
            0  live    99  back-pressure      1498    2     0  (all)
            1  live   100  dropping           1500    0    12  a.b
        files        0, 0 B

        """)
  }

  @Test func json() throws {
    let now = segment(position: 1500, messages: 1400)
    let json = try report(now, before: nil, seconds: 0).json.text
    #expect(json.hasPrefix(#"{"directory":"/bus","rule":"option","intervalSeconds":null,"#))
    #expect(
      json.contains(
        #""position":1500,"recordsPerSecond":null,"lanes":[{"index":0,"live":true,"process":4242,"#
          + #""incarnation":7,"messages":1400,"messagesPerSecond":null},"#))
    #expect(
      json.contains(
        #""subscribers":[{"index":0,"live":true,"process":99,"prefix":"","policy":"back-pressure","#
          + #""position":1498,"lag":2,"lost":0},"#))
    #expect(json.hasSuffix(#""files":[],"durable":[]}"#))
  }

  /// A rate over two different segments would be nonsense.
  @Test func aNewSegmentHasNoRateYet() throws {
    let report = try report(
      segment(generation: "new", position: 5, messages: 5),
      before: segment(position: 1000, messages: 1), seconds: 1)
    #expect(report.text.contains("records      5, - per second\n"))
    #expect(report.json.text.contains(#""recordsPerSecond":null"#))
  }

  private static let mirror = SharedMemoryStatus.Mirror(
    process: 99, mirrored: 1400, synced: 1200, lag: 100, messages: 1300, bytes: 400_000,
    isFailing: true, trouble: .noSpace, skipped: .init(count: 2, last: 10..<20),
    unsynced: .init(count: 1, last: nil))

  @Test func theMirrorAsText() throws {
    var now = segment(position: 1500, messages: 1400)
    now.mirror = Self.mirror
    var before = segment(position: 1000, messages: 1000)
    before.mirror = Self.mirror
    before.mirror?.messages = 1000
    #expect(
      try report(now, before: before, seconds: 0.5).text.contains(
        """

        mirror       process 99, 100 records behind
                     mirrored up to 1400, on the disk up to 1200
                     1300 messages, 600.0 per second, 390.6 KiB
                     cannot write (noSpace) and tries again
                     2 stretches of records not in the files, the last one from 10 to 20
                     1 stretch of records perhaps not on the disk
        files        0, 0 B

        """))
    now.mirror = .init(process: nil, mirrored: 3, synced: 0, lag: 0, messages: 3, bytes: 700)
    #expect(
      try report(now, before: nil, seconds: 0).text.contains(
        """

        mirror       nobody just now, 0 records behind
                     mirrored up to 3, on the disk up to 0
                     3 messages, - per second, 700 B
        files        0, 0 B

        """))
  }

  @Test func theMirrorAsJSON() throws {
    var now = segment(position: 1500, messages: 1400)
    #expect(try report(now, before: nil, seconds: 0).json.text.contains(#""mirror":null}"#))
    now.mirror = Self.mirror
    #expect(
      try report(now, before: nil, seconds: 0).json.text.contains(
        #""mirror":{"process":99,"mirrored":1400,"synced":1200,"lag":100,"messages":1300,"#
          + #""bytes":400000,"trouble":"noSpace","skipped":{"stretches":2,"from":10,"end":20},"#
          + #""unsynced":{"stretches":1,"from":null,"end":null},"messagesPerSecond":null}"#))
  }
}
