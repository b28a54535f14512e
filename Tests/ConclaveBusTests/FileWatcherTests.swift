import Glibc
import Testing

@testable import ConclaveBus

/// What a subscription is told of its files.
@Suite struct FileWatcherTests {
  private let scratch = Scratch()

  private func watcher(useInotify: Bool = true) throws -> FileWatcher {
    let directory = try scratch.directory().open()
    return try FileWatcher(
      path: "\(scratch.path)/bus", directory: directory,
      options: FileBusOptions(useInotify: useInotify))
  }

  @Test func hearsOfAppendsOnlyWhileItListens() throws {
    let watcher = try watcher()
    Disk.append(scratch.file("t"), "1\n")
    #expect(watcher.collect() == .names)
    Disk.append(scratch.file("t"), "2\n")
    #expect(watcher.collect() == .contents && !watcher.isDeaf)

    #expect(watcher.listen(false) && watcher.isDeaf)
    Disk.append(scratch.file("t"), "3\n")
    #expect(watcher.collect() == .none)
    // It does not sleep for ever, though nobody tells it anything.
    #expect(watcher.park(until: nil, hurry: false))

    #expect(watcher.listen(true) && !watcher.isDeaf)
    Disk.append(scratch.file("t"), "4\n")
    #expect(watcher.collect() == .contents)
  }

  @Test func alwaysHearsOfNames() throws {
    let watcher = try watcher()
    #expect(watcher.listen(false))
    Disk.append(scratch.file("t"), "1\n")
    #expect(watcher.collect() == .names)
    #expect(unsafe rename(scratch.file("t"), scratch.file("u")) == 0)
    #expect(watcher.collect() == .names)
    #expect(unsafe unlink(scratch.file("u")) == 0)
    #expect(watcher.collect() == .names)
  }

  /// The directory has got another name, and another directory has got its own.
  @Test func keepsToItsDirectory() throws {
    let watcher = try watcher()
    #expect(unsafe rename("\(scratch.path)/bus", "\(scratch.path)/old") == 0)
    _ = try scratch.directory()
    #expect(watcher.listen(false) && watcher.listen(true))
    Disk.append(scratch.file("t"), "1\n")
    #expect(watcher.collect() == .none)
    Disk.append("\(scratch.path)/old/t.jsonl", "1\n")
    #expect(watcher.collect() == .names)
  }

  @Test func staysAsItIsWhereItCannotListen() throws {
    let polling = try watcher(useInotify: false)
    #expect(!polling.listen(false) && !polling.isDeaf)
    let finished = try watcher()
    finished.finish()
    #expect(!finished.listen(false) && !finished.isDeaf)
  }
}
