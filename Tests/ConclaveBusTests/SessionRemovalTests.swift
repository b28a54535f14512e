import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// What is removed, and what never is.
@Suite struct SessionRemovalTests {
  @Test func whatIsListedGoes() throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    try session.list("logs")
    try session.list("logs/a")
    #expect(unsafe mkdir("\(world.bus)/logs", 0o700) == 0)
    Disk.write("\(world.bus)/logs/a", [1])
    try world.say("1")
    #expect(try session.end(.purge) == nil)
    #expect(!world.exists(".conclave/bus/wave-0") && world.exists(".conclave/bus"))
  }

  @Test func whatIsNotListedStays() throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    Disk.write("\(world.bus)/notes", [1])
    try world.say("1")
    let error = #expect(throws: BusError.self) { try session.end(.purge) }
    #expect(error?.code == .incompatible)
    #expect(Disk.read("\(world.bus)/notes") == [1] && Disk.size("\(world.bus)/t.jsonl") < 0)
  }

  @Test(arguments: [
    "", ".", "..", "../x", "a/../b", "a//b", "/etc", ".pid", ".keys/index", "a\nb", "a/", "/",
    "a/.", String(repeating: "x", count: 1025),
  ])
  func noPathLeadsOut(_ path: String) throws {
    let world = SessionWorld()
    let session = try world.begin("run-1")
    let error = #expect(throws: BusError.self) { try session.list(path) }
    #expect(error?.code == .invalidName)
    #expect(Disk.size("\(world.bus)/.journal") < 0)
  }

  /// A journal that somebody has written, and links that lead out.
  @Test func nothingOutsideIsTouched() throws {
    let world = SessionWorld()
    let outside = "\(world.path)/outside"
    #expect(unsafe mkdir(outside, 0o700) == 0)
    Disk.write("\(outside)/precious", [1])
    let session = try world.begin("run-1")
    #expect(unsafe symlink(outside, "\(world.bus)/link") == 0)
    #expect(unsafe symlink("\(outside)/precious", "\(world.bus)/file") == 0)
    try session.list("file")
    try session.list("link/precious")
    Disk.append("\(world.bus)/.journal", "../../../outside/precious\n/\n\n\u{0}\nlink/precious")
    Disk.append("\(world.bus)/.journal", "\n\(outside)/precious\ntorn")
    let error = #expect(throws: BusError.self) { try session.end(.purge) }
    #expect(error?.code == .incompatible)
    #expect(Disk.read("\(outside)/precious") == [1])
    // The link that was listed is gone; the one that was not is there.
    #expect(!world.exists(".conclave/bus/wave-0/file") && world.exists(".conclave/bus/wave-0/link"))
  }

  /// Of a link, what it leads to is the bus; moving that leaves the link whole.
  @Test func aLinkOfOnesOwnIsFollowedOnce() throws {
    let world = SessionWorld()
    let real = "\(world.path)/real"
    #expect(unsafe mkdir(real, 0o700) == 0 && symlink(real, "\(world.path)/link") == 0)
    for payload in ["1", "2"] {
      let session = try SessionWorld.begin("run-1", at: "\(world.path)/link")
      #expect(session.directory.path == real)
      try FileBus(directory: session.directory).say(payload)
      session.abandon()
    }
    let archive = SessionArchive(of: real)
    #expect(archive.path == "\(real).archive")
    #expect(try archive.sessions().flatMap(\.buses).map(\.path) == ["\(archive.path)/run-1/real"])
  }

  @Test(.enabled(if: geteuid() == 0, "giving something away takes root"))
  func somebodyElsesLinkIsRefused() throws {
    let world = SessionWorld()
    let real = "\(world.path)/real"
    #expect(unsafe mkdir(real, 0o700) == 0 && symlink(real, "\(world.path)/link") == 0)
    #expect(unsafe lchown("\(world.path)/link", 12345, 12345) == 0)
    let error = #expect(throws: BusError.self) {
      try SessionWorld.begin("run-1", at: "\(world.path)/link")
    }
    #expect(error?.code == .permissionDenied && Disk.size("\(real)/.pid") < 0)
  }

  @Test func anArchiveElsewhereIsAnErrorAndMovesNothing() throws {
    let world = SessionWorld()
    try world.leaveDead("run-1", saying: "1")
    let archive = "/dev/shm/conclave-test-archive-\(getpid())"
    defer { removeTree(archive) }
    let error = #expect(throws: BusError.self) {
      try world.begin("run-2") { $0.archive = SessionArchive(path: archive) }
    }
    #expect(error?.hint == "name an archive on its file system, or have the directory purged")
    #expect(try Disk.envelopes("\(world.bus)/t.jsonl").count == 1)
    _ = try world.begin("run-2")
    #expect(world.archived == ["run-1/wave-0"])
  }

  @Test func aSessionInsideIsInTheWay() throws {
    let world = SessionWorld()
    try world.leaveDead("run-1", saying: "1")
    let inner = try SessionWorld.begin("inner", at: "\(world.bus)/deep")
    let error = #expect(throws: BusError.self) { try world.begin("run-2") }
    #expect(error?.code == .busy && error?.message.contains("deep") == true)
    inner.abandon()
    let directory = try BusDirectory(opening: world.bus)
    let stale = try BusSession.staleDirectories(in: directory)
    #expect(stale.map(\.path) == ["\(world.bus)/deep", world.bus])
    for directory in stale { #expect(try BusSession.clear(directory, .purge)) }
    #expect(!world.exists(".conclave/bus/wave-0"))
  }

  /// Messages are not committed, whether the folder is new or the project has one.
  @Test(arguments: [false, true])
  func gitDoesNotSeeIt(_ hasFolder: Bool) throws {
    let world = SessionWorld()
    for name in [".git", ".git/objects"] {
      #expect(unsafe mkdir("\(world.path)/\(name)", 0o700) == 0)
    }
    Disk.write("\(world.path)/.git/HEAD", Array("ref: refs/heads/main\n".utf8))
    if hasFolder { #expect(unsafe mkdir("\(world.path)/.conclave", 0o700) == 0) }
    try world.leaveDead("run-1", saying: "1")
    _ = try world.begin("run-2")
    let everything = Array("*\n".utf8)
    let hidden = "\(world.path)/.conclave"
    #expect(Disk.read("\(hidden)/.gitignore") == (hasFolder ? [] : everything))
    for name in ["bus", "archive"] {
      #expect(Disk.read("\(hidden)/\(name)/.gitignore") == (hasFolder ? everything : []))
    }
  }

  @Test(arguments: ["", "-a", "a.b", "a/b", "..", "ä", String(repeating: "x", count: 65)])
  func badNames(_ name: String) {
    #expect(throws: BusError.self) { try SessionName(name) }
  }

  /// A name that `.pid` holds is not trusted, being the name of a folder.
  @Test func aForgedOwnerNamesNoFolder() {
    let owner = SessionOwner.current(.new())
    #expect(SessionOwner(text: owner.text) == owner)
    let forged = owner.text.replacing("session \(owner.session)", with: "session ../../x")
    #expect(forged != owner.text && SessionOwner(text: forged) == nil)
    for length in 0..<owner.text.utf8.count {
      let torn = String(decoding: Array(owner.text.utf8.prefix(length)), as: UTF8.self)
      if let read = SessionOwner(text: torn) { #expect(read == owner || torn.hasSuffix("\n")) }
    }
  }
}
