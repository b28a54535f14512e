import Glibc
import Testing

@testable import ConclaveBus

/// What lies where the index should be, and what others have done to it.
@Suite struct IdempotencyDamageTests {
  private let world = KeyWorld(capacity: 20)

  /// The places of entries in the file.
  private func entries() -> [Int] {
    let bytes = Disk.read(world.path)
    return stride(from: 4096, to: bytes.count, by: 64).filter { start in
      bytes[start..<start + 64].contains { $0 != 0 }
    }
  }

  private func spoil(_ place: Int, _ change: (inout UInt8) -> Void) {
    var bytes = Disk.read(world.path)
    change(&bytes[place])
    Disk.write(world.path, bytes)
  }

  /// Whichever byte of an entry is wrong, the key is forgotten and counted once, and its slot is
  /// used again.
  @Test func aDamagedEntryIsUnknown() throws {
    let first = try world.index()
    #expect(try world.publish("a", to: first))
    let place = try #require(entries().first)
    for byte in 0..<64 {
      spoil(place + byte) { $0 ^= 0x40 }
      let index = try world.index()
      #expect(try world.publish("a", to: index), "byte \(byte)")
      #expect(index.corruptEntries == 1)
      #expect(try !world.publish("a", to: index))
      #expect(index.corruptEntries == 1 && entries().count == 1)
    }
  }

  /// An entry that was copied to where it does not belong is nobody's.
  @Test func nonsenseEverywhereIsUnknown() throws {
    let first = try world.index()
    for number in 0..<10 { try world.publish("\(number)", to: first) }
    var bytes = Disk.read(world.path)
    var generator = SeededGenerator(state: 1)
    for place in 4096..<bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &generator) }
    Disk.write(world.path, bytes)
    let index = try world.index()
    for number in 0..<10 { #expect(try world.publish("\(number)", to: index)) }
    for number in 0..<10 { #expect(try !world.publish("\(number)", to: index)) }
    #expect(index.corruptEntries == 64)
  }

  /// Without its counter the index forgets nothing that it knows.
  @Test func aDamagedCounterForgetsNothing() throws {
    let first = try world.index()
    for number in 0..<19 { try world.publish("\(number)", to: first) }
    for damage: UInt8 in [0x00, 0xFF] {
      var bytes = Disk.read(world.path)
      for place in 2048..<2064 { bytes[place] = damage }
      Disk.write(world.path, bytes)
      let index = try world.index()
      for number in 0..<19 { #expect(try !world.publish("\(number)", to: index)) }
    }
    #expect(try world.publish("new", to: world.index()))
    #expect(try !world.publish("new", to: world.index()))
  }

  @Test func whoShortensTheFileEndsNobody() throws {
    let index = try world.index()
    #expect(try world.publish("a", to: index))
    #expect(unsafe truncate(world.path, 100) == 0)
    #expect(try world.publish("a", to: index) && !world.publish("a", to: index))
    #expect(unsafe truncate(world.path, 0) == 0)
    #expect(try world.publish("a", to: index) && !world.publish("a", to: index))
  }

  @Test(arguments: [
    "version", "magic", "slots", "checksum", "capacity", "short", "long", "garbage",
  ])
  func anotherLayoutIsRefused(_ kind: String) throws {
    try world.publish("a", to: world.index())
    var bytes = Disk.read(world.path)
    switch kind {
    case "magic": bytes[0] ^= 1
    case "version": bytes[8] = 2
    case "capacity": bytes[16] ^= 1
    case "slots": bytes[24] ^= 1
    case "checksum": bytes[56] ^= 1
    case "short": bytes.removeLast()
    case "long": bytes.append(0)
    default: bytes = [UInt8](repeating: 0, count: 64) + Array("something else".utf8)
    }
    Disk.write(world.path, bytes)
    let error = #expect(throws: BusError.self) { try world.index() }
    #expect(error?.code == .incompatible && error?.hint.contains(".keys") == true)
    #expect(Disk.read(world.path) == bytes)
  }

  /// Who first makes it decides; others join.
  @Test func theCapacityIsTheMakers() throws {
    #expect(try world.index().capacity == 20)
    #expect(try world.index(IdempotencyOptions(capacity: 7)).capacity == 20)
    let bounded = KeyWorld(capacity: 0)
    #expect(try bounded.index().capacity == 1)
  }

  /// Who began to make it may have died before it was done.
  @Test(arguments: [0, 4096 + 4096])
  func anUnfinishedIndexIsFinished(_ size: Int) throws {
    _ = try world.scratch.directory()
    #expect(unsafe mkdir("\(world.scratch.path)/bus/.keys", 0o700) == 0)
    Disk.write(world.path, [UInt8](repeating: 0, count: size))
    let index = try world.index()
    #expect(try world.publish("a", to: index) && !world.publish("a", to: index))
  }

  @Test(arguments: ["file", "symlink", "dangling", "fifo", "open"])
  func squattersOnTheFolderAreRefused(_ kind: String) throws {
    let folder = "\(try world.scratch.directory().path)/.keys"
    let target = "\(world.scratch.path)/target"
    #expect(unsafe mkdir(target, 0o700) == 0)
    switch kind {
    case "file": Disk.write(folder, [1])
    case "symlink": #expect(unsafe symlink(target, folder) == 0)
    case "dangling": #expect(unsafe symlink("\(target)-not", folder) == 0)
    case "fifo": #expect(unsafe mkfifo(folder, 0o600) == 0)
    default:
      #expect(unsafe mkdir(folder, 0o700) == 0 && chmod(folder, 0o750) == 0)
    }
    let error = #expect(throws: BusError.self) { try world.index() }
    #expect(error?.code == (kind == "open" ? .permissionDenied : .incompatible))
    #expect(error?.hint.isEmpty == false)
    #expect(unsafe access("\(target)/index", F_OK) != 0 && access("\(target)-not", F_OK) != 0)
  }

  @Test(arguments: ["directory", "symlink", "dangling", "fifo", "hardlink", "open"])
  func squattersOnTheFileAreRefused(_ kind: String) throws {
    #expect(unsafe mkdir("\(try world.scratch.directory().path)/.keys", 0o700) == 0)
    let target = "\(world.scratch.path)/target"
    Disk.write(target, [])
    switch kind {
    case "directory": #expect(unsafe mkdir(world.path, 0o700) == 0)
    case "symlink": #expect(unsafe symlink(target, world.path) == 0)
    case "dangling": #expect(unsafe symlink("\(target)-not", world.path) == 0)
    case "fifo": #expect(unsafe mkfifo(world.path, 0o600) == 0)
    case "hardlink": #expect(unsafe link(target, world.path) == 0)
    default:
      Disk.write(world.path, [])
      #expect(unsafe chmod(world.path, 0o640) == 0)
    }
    let error = #expect(throws: BusError.self) { try world.index() }
    #expect(error?.code == (kind == "open" ? .permissionDenied : .incompatible))
    #expect(error?.message.contains("\".keys/index\" ") == true)
    #expect(Disk.read(target).isEmpty && Disk.size("\(target)-not") == -1)
  }

  @Test func theIndexIsPrivate() throws {
    _ = try world.index()
    var status = stat()
    #expect(unsafe lstat(world.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let folder = "\(world.scratch.path)/bus/.keys"
    #expect(unsafe lstat(folder, &status) == 0 && status.st_mode & 0o777 == 0o700)
  }
}
