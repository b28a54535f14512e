import BusTesting
import ConclaveBus
import Testing

/// The README's Swift is compiled and does what the README says.
@Suite struct SnippetTests {
  @Test func eachBlockOfTheReadmeIsASnippet() throws {
    let snippets = Set(try Readme.snippets().values)
    for block in try Readme.blocks(of: "swift") {
      #expect(snippets.contains(block), "not in Tests/ReadmeTests/Snippets:\n\(block)")
    }
  }

  @Test func eachSnippetStandsInTheReadme() throws {
    let blocks = try Readme.blocks(of: "swift")
    let snippets = try Readme.snippets()
    #expect(snippets.count >= 6)
    for (file, snippet) in snippets { #expect(blocks.contains(snippet), "\(file) is missing") }
  }

  @Test func channel() async throws {
    #expect(try await talkWithinOneProcess() == [#"task-1 1: {"text":"hello"}"#])
  }

  @Test func file() async throws {
    let directory = try TemporaryDirectory()
    #expect(try await onThread { try keepALog(in: directory.path) } == 64)
  }

  @Test func idempotency() async throws {
    let directory = try TemporaryDirectory()
    #expect(try await onThread { try orderOnce(in: directory.path) } == 1)
  }

  @Test func retention() async throws {
    let directory = try TemporaryDirectory()
    let left = try await onThread { try keepTheLast(in: directory.path) }
    #expect((1000...1500).contains(left))
  }

  @Test func durable() async throws {
    let directory = try TemporaryDirectory()
    let worked = try await onThread { try workThrough(in: directory.path) }
    #expect(worked == ["a", "b", "c", "a"].map { #"{"text":"\#($0)"}"# })
    #expect(try SharedMemoryBus.clean(BusDirectory(opening: directory.path)))
  }

  @Test func sharedMemory() async throws {
    let directory = try TemporaryDirectory()
    let read = try await onThread { try readInPlace(in: directory.path) }
    #expect(read.bytes == 9 * 12 + 90 * 13 + 14 && read.missing == 0)
    #expect(try SharedMemoryBus.clean(BusDirectory(opening: directory.path)))
  }

  @Test func mirrored() async throws {
    let directory = try TemporaryDirectory()
    #expect(try await onThread { try keepAndReplay(in: directory.path) } == 1001)
    #expect(try SharedMemoryBus.clean(BusDirectory(opening: directory.path)))
  }

  @Test func slowSubscriber() throws {
    let told = try fallBehind()
    #expect(told.delivered == 8 && told.missing == 92 && told.warnings == 1)
  }

  @Test func backPressure() async throws {
    #expect(try await onThread { try loseNothing() } == 2)
  }

  @Test func conformance() async throws {
    #expect(try await checkATransport() > 20)
  }
}
