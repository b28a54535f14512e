import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// A project with `.conclave`, whose waves have buses.
final class SessionWorld: Sendable {
  private let scratch = Scratch()
  var path: String { scratch.path }
  var bus: String { bus(wave: 0) }

  deinit {
    for wave in 0..<2 {
      if let directory = try? BusDirectory(opening: bus(wave: wave), create: false) {
        unsafe unlink(SharedMemoryBus.segmentPath(of: directory))
      }
    }
  }

  func bus(wave: Int) -> String { "\(path)/.conclave/bus/wave-\(wave)" }

  func begin(
    _ name: String, wave: Int = 0, _ change: (inout BusSessionOptions) -> Void = { _ in }
  ) throws -> BusSession {
    try SessionWorld.begin(name, at: bus(wave: wave), change)
  }

  static func begin(
    _ name: String, at path: String, _ change: (inout BusSessionOptions) -> Void = { _ in }
  ) throws -> BusSession {
    var options = BusSessionOptions(name: try SessionName(name))
    change(&options)
    return try BusSession.begin(at: path, options: options)
  }

  /// Publishes into the wave's files.
  func say(_ payload: String, wave: Int = 0) throws {
    let bus = try FileBus(directory: BusDirectory(opening: bus(wave: wave), create: false))
    try bus.say(payload)
    bus.close()
  }

  /// What a session leaves that lets go.
  func leaveDead(_ name: String, saying payload: String) throws {
    let session = try begin(name)
    try say(payload)
    session.abandon()
  }

  /// A process begins the session "dead", publishes ten messages, and is killed.
  func dieInSession(mirrored: Bool) async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [bus = bus as String, mirrored = mirrored as Bool] in
      let session = try SessionWorld.begin("dead", at: bus)
      let transport: any MessageBus =
        mirrored
        ? try MirroredBus(directory: session.directory)
        : try SharedMemoryBus(directory: session.directory)
      for number in 0..<10 {
        let message = Message(type: "test", sender: "a", payload: try RawJSON("\(number)"))
        try transport.publish(message, to: Topic("t"))
      }
      kill(getpid(), SIGKILL)
    }
  }

  func exists(_ name: String) -> Bool { unsafe access("\(path)/\(name)", F_OK) == 0 }

  /// `session/bus` of all that is in the archive, sorted.
  var archived: [String] {
    let archive = SessionArchive(path: "\(path)/.conclave/archive")
    let sessions = (try? archive.sessions()) ?? []
    return sessions.flatMap(\.buses).map { String($0.path.dropFirst(archive.path.count + 1)) }
      .sorted()
  }
}
