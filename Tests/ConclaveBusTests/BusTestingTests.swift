import BusTesting
import ConclaveBus
import Testing

/// The machinery that other tests trust.
@Suite struct BusTestingTests {
  @Test func exhaustiveSeesEveryWorldOnce() {
    var world = Exhaustive()
    var seen: [[Int]] = []
    while world.next() {
      let length = world.choose(3)
      seen.append((0..<length).map { _ in world.choose(2) })
    }
    #expect(seen == [[], [0], [1], [0, 0], [0, 1], [1, 0], [1, 1]])
    var single = Exhaustive()
    let hasFirst = single.next()
    let hasSecond = single.next()
    #expect(hasFirst && !hasSecond)
  }

  /// The first numbers of the published reference implementation.
  @Test func splitMixIsSplitMix() {
    var random = SplitMix64(seed: 1_234_567)
    let first = [random.next(), random.next()]
    #expect(first == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
    let small = (0..<1000).map { _ in random.below(7) }
    #expect(Set(small) == Set(0..<7))
  }

  @Test(arguments: [1, 2, 3, 100, 65_536, 200_001])
  func payloadsHaveTheirSize(size: Int) throws {
    #expect(try Payloads.sized(size).bytes.count == size)
    let other = try Payloads.sized(size, seed: 2)
    #expect(try size < 3 || Payloads.sized(size, seed: 1) != other)
    #expect(try Payloads.number(of: Payloads.numbered(size)) == size)
  }

  @Test func childTalksAndEnds() async throws {
    try await onThread {
      let child = try ChildProcess(
        "sh", ["-c", "read line; echo \"got $line\"; echo oops >&2; pwd; exit 7"],
        workingDirectory: "/")
      try child.write("hello\n")
      #expect(try child.waitForOutput { $0.hasSuffix("/\n") } == "got hello\n/\n")
      #expect(try child.wait() == .code(7))
      #expect(child.standardError == "oops\n")
      #expect(throws: SystemFailure.self) { try child.write("too late\n") }
    }
  }

  @Test func childIsKilledAndReaped() async throws {
    try await onThread {
      let child = try ChildProcess("sleep", ["1000"])
      child.kill(15)
      #expect(try child.wait() == .signal(15))
      child.kill(9)
      let reader = try ChildProcess("cat")
      reader.closeInput()
      #expect(try reader.wait() == .code(0))
      #expect(throws: SystemFailure.self) { try ChildProcess("/does/not/exist") }
    }
  }

  @Test func temporaryDirectoryGoes() async throws {
    var directory: TemporaryDirectory? = try TemporaryDirectory("conclave-test")
    let path = try #require(directory?.path)
    try await onThread {
      let make = try ChildProcess(
        "sh", ["-c", "mkdir -p a/b && touch a/b/c && ln -s / link"], workingDirectory: path)
      #expect(try make.wait() == .code(0))
    }
    directory = nil
    try await onThread {
      let gone = try ChildProcess("test", ["-e", path])
      let root = try ChildProcess("test", ["-d", "/"])
      #expect(try gone.wait() == .code(1))
      #expect(try root.wait() == .code(0))
    }
  }

  @Test func hangsEnd() async {
    await #expect(throws: (any Error).self) {
      try await withHangGuard(.milliseconds(10)) { try await Task.sleep(for: .seconds(1000)) }
    }
  }

  @Test(arguments: 1...5)
  func scriptsGiveTheSameOnTwoBuses(seed: UInt64) async throws {
    let script = RandomScript(seed: seed, steps: 300)
    let observed = try await script.run(on: ChannelFixture())
    #expect(observed == script.expected())
    #expect(try await observed == script.run(on: BrokenFixture(nil)))
    #expect(RandomScript(seed: seed + 100, steps: 300).expected() != observed)
  }
}
