import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// How a session begins, ends and is followed, in one process.
@Suite struct BusSessionTests {
  @Test func itsFileSaysWhoseItIs() throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    #expect(session.isOwner && session.owner.process == UInt32(getpid()))
    #expect(session.directory.path == "\(world.path)/.conclave/bus/wave-0")
    let text = String(decoding: Disk.read("\(session.directory.path)/.pid"), as: UTF8.self)
    #expect(text.hasPrefix("\(getpid())\nsession run-1\nbegan 20"))
    #expect(SessionOwner(text: text) == session.owner)
    #expect(session.owner.startTicks > 0 && session.owner.boot.count == 36)
    let look = try #require(try BusSession.owner(of: session.directory))
    #expect(look.isLive && look.owner == session.owner)
    session.abandon()
    let after = try #require(try BusSession.owner(of: session.directory))
    #expect(!after.isLive && after.owner == session.owner)
  }

  @Test func aLiveOwnerIsInTheWay() throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    let error = #expect(throws: BusError.self) { try world.begin("run-2") }
    #expect(error?.code == .busy)
    #expect(error?.message.contains("process \(getpid()), session run-1, begun 20") == true)
    let joined = try world.begin("run-2") { $0.joins = true }
    #expect(!joined.isOwner && joined.owner == session.owner)
    #expect(throws: BusError.self) { try joined.list("x") }
    #expect(try joined.end() == nil)
    #expect(try #require(try BusSession.owner(of: session.directory)).isLive)
  }

  @Test func theEndMovesItAside() throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    try world.say("1")
    let place = "\(world.path)/.conclave/archive/run-1/wave-0"
    #expect(try session.end() == place)
    #expect(try session.end() == place)
    #expect(!world.exists(".conclave/bus/wave-0"))
    #expect(try Disk.envelopes("\(place)/t.jsonl").map(\.payload.description) == ["1"])
    let archived = try SessionArchive(of: session.directory.path).sessions()
    #expect(archived.map(\.name.text) == ["run-1"])
    #expect(archived.first?.buses.map(\.path) == [place])
    #expect(archived.first?.buses.first?.owner == session.owner)
    #expect(throws: BusError.self) { try session.list("x") }
  }

  @Test func nothingSaidIsNotKept() throws {
    let world = SessionWorld()
    #expect(try world.begin("run-1").end() == nil)
    #expect(!world.exists(".conclave/bus/wave-0") && world.archived.isEmpty)
  }

  @Test func whatADeadSessionLeftIsMovedAside() throws {
    let world = SessionWorld()
    try world.leaveDead("run-1", saying: "1")
    let session = try world.begin("run-2")
    #expect(world.archived == ["run-1/wave-0"])
    #expect(try SessionRemains.contents(session.directory.open()).isEmpty)
    session.abandon()
    try world.leaveDead("run-1", saying: "2")
    _ = try world.begin("run-3") { $0.stale = .purge }
    #expect(world.archived == ["run-1/wave-0"])
  }

  @Test func aNameMayComeTwice() throws {
    let world = SessionWorld()
    for number in 0..<3 {
      let session = try world.begin("run-1")
      try world.say("\(number)")
      try session.end()
    }
    #expect(world.archived == ["run-1/wave-0", "run-1/wave-0-2", "run-1/wave-0-3"])
  }

  /// The newest sessions, each with all of its buses.
  @Test func onlySoManyAreKept() throws {
    let world = SessionWorld()
    for number in 0..<7 {
      for wave in 0..<2 {
        let session = try world.begin("run-\(number)", wave: wave) { $0.kept = 3 }
        try world.say("1", wave: wave)
        try session.end()
      }
    }
    let kept = (4...6).flatMap { run in (0...1).map { "run-\(run)/wave-\($0)" } }
    #expect(world.archived == kept)
    let archive = SessionArchive(path: "\(world.path)/.conclave/archive")
    #expect(try archive.sessions().map(\.name.text) == ["run-6", "run-5", "run-4"])
    #expect(SessionArchive.keptSessions == 5)
  }

  /// Shared memory alone, and a mirror that was killed: what the ring still has is in the files.
  @Test(arguments: [false, true])
  func theRingIsDrained(_ wasMirrored: Bool) async throws {
    let world = SessionWorld()
    try await world.dieInSession(mirrored: wasMirrored)
    let directory = try BusDirectory(opening: world.bus, create: false)
    let segment = SharedMemoryBus.segmentPath(of: directory)
    #expect(Disk.size(segment) > 0)
    let session = try world.begin("run-2")
    #expect(Disk.size(segment) < 0)
    let file = "\(world.path)/.conclave/archive/dead/wave-0/t.jsonl"
    #expect(try Disk.envelopes(file).map(\.payload.description) == (0..<10).map { "\($0)" })
    try session.end()
  }

  @Test func participantsAreInTheWay() throws {
    let world = SessionWorld()
    try world.leaveDead("run-1", saying: "1")
    let directory = try BusDirectory(opening: world.bus, create: false)
    let file = try FileBus(directory: directory)
    let error = #expect(throws: BusError.self) { try world.begin("run-2") }
    #expect(error?.code == .busy && error?.hint.contains("\(getpid())") == true)
    file.close()
    let shared = try SharedMemoryBus(directory: directory)
    let subscription = try shared.subscribe("")
    let other = #expect(throws: BusError.self) { try world.begin("run-2") }
    #expect(other?.code == .busy)
    // Nothing has been touched meanwhile.
    #expect(try Disk.envelopes("\(world.bus)/t.jsonl").count == 1)
    subscription.cancel()
    shared.close()
    let session = try world.begin("run-2")
    let last = try FileBus(directory: session.directory)
    #expect(throws: BusError.self) { try session.end() }
    last.close()
    try session.end()
  }

  @Test func whatNoSessionLeftIsNotTouched() throws {
    let world = SessionWorld()
    _ = try BusDirectory(opening: world.bus)
    Disk.write("\(world.bus)/notes", [1])
    let error = #expect(throws: BusError.self) { try world.begin("run-1") }
    #expect(error?.code == .incompatible && error?.message.contains("\"notes\"") == true)
    #expect(Disk.read("\(world.bus)/notes") == [1] && Disk.size("\(world.bus)/.pid") < 0)
  }

  /// Of an owner that was killed at once, before it could say anything.
  @Test func anEmptyFileIsNobodys() throws {
    let world = SessionWorld()
    _ = try BusDirectory(opening: world.bus)
    Disk.write("\(world.bus)/.pid", [])
    let session = try world.begin("run-1")
    session.abandon()
    Disk.write("\(world.bus)/.pid", Array("nonsense".utf8))
    try world.say("1")
    _ = try world.begin("run-2")
    let unknown = try #require(world.archived.first)
    #expect(world.archived.count == 1 && unknown.hasPrefix("unknown-"))
  }

  @Test func aSegmentOfADirectoryThatIsGoneIsRemoved() async throws {
    let world = SessionWorld()
    try await world.dieInSession(mirrored: false)
    removeTree(world.bus)
    let session = try world.begin("run-1")
    #expect(Disk.size(SharedMemoryBus.segmentPath(of: session.directory)) < 0)
  }

  @Test func inTheChildOfAForkItIsTheParents() async {
    await #expect(processExitsWith: .success) {
      let world = SessionWorld()
      let session = try world.begin("run-1")
      let child = Processes.fork()
      if child == 0 {
        session.abandon()
        do throws(BusError) {
          try session.end()
          _exit(1)
        } catch { _exit(error.code == .forked ? 0 : 2) }
      }
      var status: Int32 = -1
      #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
      #expect(try #require(try BusSession.owner(of: session.directory)).isLive)
    }
  }

  @Test func manyMayEndItAtOnce() async throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    try world.say("1")
    try await onThreads(8) { _ in
      let place = try session.end()
      #expect(place?.hasSuffix("/archive/run-1/wave-0") == true)
      session.abandon()
    }
    #expect(world.archived == ["run-1/wave-0"])
  }

  /// Somebody who begins a session just now, and was stopped.
  @Test func aStoppedGateIsNotWaitedForForever() throws {
    let world = SessionWorld()
    let session = try world.begin("run-1") { $0.patience = .milliseconds(20) }
    let number = unsafe open("\(world.path)/.conclave/archive", O_RDONLY | O_DIRECTORY)
    let other = OwnedDescriptor(number)
    #expect(other.lock(LOCK_EX) == 0)
    let error = #expect(throws: BusError.self) {
      try world.begin("run-2") { $0.patience = .milliseconds(20) }
    }
    #expect(error?.code == .busy && error?.hint.contains("kill -CONT") == true)
    #expect(throws: BusError.self) { try session.end() }
    _ = other.lock(LOCK_UN)
    #expect(try session.end() == nil)
    #expect(!world.exists(".conclave/bus/wave-0"))
  }

  @Test func whatBearsTheFilesNameIsNotFollowed() throws {
    let world = SessionWorld()
    _ = try BusDirectory(opening: world.bus)
    let victim = "\(world.path)/victim"
    Disk.write(victim, Array("precious".utf8))
    let file = "\(world.bus)/.pid"
    for make in [{ unsafe symlink(victim, file) }, { unsafe link(victim, file) }] {
      #expect(make() == 0)
      let error = #expect(throws: BusError.self) { try world.begin("run-1") }
      #expect(error?.code == .incompatible)
      #expect(Disk.read(victim) == Array("precious".utf8))
      unsafe unlink(file)
    }
    #expect(unsafe mkfifo(file, 0o600) == 0)
    #expect(throws: BusError.self) { try world.begin("run-1") }
  }
}
