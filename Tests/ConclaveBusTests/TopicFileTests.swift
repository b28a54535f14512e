import Glibc
import Testing

@testable import ConclaveBus

/// What a topic's file is told apart by.
@Suite struct TopicFileTests {
  private let scratch = Scratch()

  private func lookedAt(_ path: String) -> stat {
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0)
    return status
  }

  /// A look says of a name what lstat says, and of an open file the same as of its name: or else a
  /// publisher would take its own file for another's.
  @Test func aLookSaysWhatLstatSays() throws {
    let directory = try scratch.directory().open()
    for size in [0, 1, 5000] {
      Disk.write(scratch.file("t"), [UInt8](repeating: 0x0A, count: size))
      let look = try #require(try TopicFile.look(at: "t.jsonl", in: directory))
      #expect(look.identity == TopicFile.Identity(lookedAt(scratch.file("t"))))
      #expect(look.size == UInt64(size))
      let opened = try TopicFile.open("t.jsonl", in: directory, flags: O_RDONLY)
      #expect(TopicFile.Identity(opened.status) == look.identity)
      #expect(try TopicFile.size(of: opened.descriptor, name: "t.jsonl") == UInt64(size))
    }
  }

  @Test func aLookTellsALinkFromWhatItPointsAt() throws {
    let directory = try scratch.directory().open()
    Disk.write(scratch.file("t"), [0x0A])
    #expect(unsafe symlink("t.jsonl", scratch.file("link")) == 0)
    let look = try #require(try TopicFile.look(at: "link.jsonl", in: directory))
    #expect(look.identity == TopicFile.Identity(lookedAt(scratch.file("link"))))
    #expect(look.identity != TopicFile.Identity(lookedAt(scratch.file("t"))))
  }

  @Test func aLookAtNothingFindsNothing() throws {
    let directory = try scratch.directory().open()
    #expect(try TopicFile.look(at: "t.jsonl", in: directory) == nil)
    Disk.write(scratch.file("t"), [0x0A])
    let opened = try TopicFile.open("t.jsonl", in: directory, flags: O_RDONLY)
    #expect(unsafe unlink(scratch.file("t")) == 0)
    #expect(try TopicFile.look(at: "t.jsonl", in: directory) == nil)
    #expect(try TopicFile.size(of: opened.descriptor, name: "t.jsonl") == 1)
  }
}
