import ConclaveBus
import Foundation
import Glibc
import Testing

/// The directory, and what a FileBus leaves in it.
@Suite struct FileBusDirectoryTests {
  private func code(_ body: () throws -> Void) -> BusError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? BusError)?.code }
  }

  @Test func makesWhatIsMissing() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/a/b/c"
    #expect(code { _ = try BusDirectory(opening: path, create: false) } == .notFound)
    let directory = try BusDirectory(opening: path + "//")
    #expect(directory.path.hasSuffix("/a/b/c"))
    var status = stat()
    #expect(unsafe lstat("\(scratch.path)/a", &status) == 0 && status.st_mode & 0o777 == 0o700)
    #expect(try BusDirectory(opening: "\(path)/../c/.", create: false) == directory)
  }

  @Test func refusesWhatOthersCouldWriteIn() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/open"
    #expect(unsafe mkdir(path, 0o700) == 0)
    for mode in [0o720, 0o702, 0o777, 0o1777] as [mode_t] {
      #expect(unsafe chmod(path, mode) == 0)
      #expect(code { _ = try BusDirectory(opening: path) } == .permissionDenied)
    }
    #expect(unsafe chmod(path, 0o755) == 0)
    #expect(code { _ = try BusDirectory(opening: path) } == nil)
  }

  @Test func refusesWhatIsNoDirectory() throws {
    let scratch = Scratch()
    let file = "\(scratch.path)/file"
    Disk.write(file, [])
    #expect(code { _ = try BusDirectory(opening: file) } == .incompatible)
    #expect(code { _ = try BusDirectory(opening: "\(file)/below") } != nil)
    #expect(code { _ = try BusDirectory(opening: "") } == .notFound)
    #expect(code { _ = try BusDirectory(opening: "a\0b") } == .notFound)
    #expect(unsafe symlink("\(scratch.path)/nowhere", "\(scratch.path)/dangling") == 0)
    #expect(code { _ = try BusDirectory(opening: "\(scratch.path)/dangling") } == .notFound)
  }

  @Test func followsOnlyItsOwnersLinks() throws {
    let scratch = Scratch()
    let directory = try scratch.directory()
    let path = "\(scratch.path)/link"
    #expect(unsafe symlink(directory.path, path) == 0)
    #expect(try BusDirectory(opening: path) == directory)
    guard geteuid() == 0 else { return }
    #expect(unsafe lchown(path, 65534, 65534) == 0)
    #expect(code { _ = try BusDirectory(opening: path) } == .permissionDenied)
    #expect(unsafe chown(directory.path, 65534, 65534) == 0)
    #expect(code { _ = try BusDirectory(opening: directory.path) } == .permissionDenied)
    #expect(unsafe chown(directory.path, 0, 0) == 0)
  }

  @Test func filesAreTheOwnersAlone() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    var status = stat()
    #expect(unsafe lstat(scratch.file("t"), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func tellsWhatIsThere() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1", on: "b")
    try bus.say("1", on: "a.c")
    Disk.write("\(scratch.path)/bus/.hidden.jsonl", [])
    Disk.write("\(scratch.path)/bus/a.jsonl.gz", [])
    #expect(unsafe symlink(scratch.file("b"), scratch.file("link")) == 0)
    let status = try FileBus.status(of: scratch.directory())
    #expect(status.map(\.topic.name) == ["a.c", "b"])
    #expect(status[1].bytes == UInt64(Disk.size(scratch.file("b"))))
    #expect(status[1].path.hasSuffix("/bus/b.jsonl") && status[1].modified <= .now())
  }

  @Test func cleansTopicFilesAndNothingElse() throws {
    let scratch = Scratch()
    let directory = try scratch.directory()
    let bus = try scratch.bus()
    try bus.say("1", on: "a")
    try bus.say("1", on: "b.c")
    let others = ["notes.txt", ".x.jsonl", "a..b.jsonl", "z.jsonl.old"]
    for name in others { Disk.write("\(directory.path)/\(name)", [1]) }
    Disk.write("\(scratch.path)/precious", [1])
    #expect(unsafe symlink("\(scratch.path)/precious", scratch.file("link")) == 0)
    #expect(code { _ = try FileBus.clean(directory) } == .busy)
    let inherited = try openFile("\(directory.path)/.filebus.lock")
    defer { close(inherited) }
    bus.close()
    #expect(try FileBus.clean(directory) == 2)
    #expect(try FileBus.clean(directory) == 0)
    #expect(Disk.size(scratch.file("a")) == -1 && Disk.size(scratch.file("link")) > 0)
    for name in others { #expect(Disk.size("\(directory.path)/\(name)") == 1) }
    #expect(Disk.size("\(scratch.path)/precious") == 1)
    try scratch.bus().say("2", on: "a")
  }

  /// What a process that is just being started has of the one that this process has open as `path`.
  private func openFile(_ path: String) throws -> Int32 {
    let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    let number = numbers.first { number in
      let link = "/proc/self/fd/\(number)"
      return (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) == path
    }
    return fcntl(try #require(number.flatMap { Int32($0) }), F_DUPFD_CLOEXEC, 0)
  }
}
