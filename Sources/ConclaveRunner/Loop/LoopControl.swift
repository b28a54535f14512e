public import ConclaveBus
import Glibc

/// What can be done with a loop from another terminal.
public struct LoopControl: Sendable {
  public let place: LoopPlace

  public init(_ place: LoopPlace) { self.place = place }

  /// Whether a loop is at work now. A state that says so without one is of a loop that was killed.
  public var isRunning: Bool { FileLock.isHeld(place.lockFile) }

  /// The process of the loop that is at work.
  public var process: Int? { isRunning ? FileLock.owner(place.lockFile) : nil }

  public func state() throws(BusError) -> LoopState? { try place.readState() }

  /// Asks the loop to stop at its next gate.
  ///
  /// - Throws: `notFound` when none is at work.
  public func stop() throws(BusError) {
    guard isRunning else {
      throw BusError(
        .notFound, "no loop is at work in \(shown(place.top))",
        hint: "see conclave ralph status")
    }
    try DurableFile.makeFolder(place.folder)
    try DurableFile.write(Array("stop\n".utf8), to: place.stopFile)
  }

  /// Adds to what every later prompt of this task says; at most 64 KiB in all.
  ///
  /// - Throws: `messageTooLarge`; `notFound` when there is neither a loop nor the state of one.
  public func addContext(_ text: String) throws(BusError) {
    let isKnown = try place.readState() != nil
    guard isKnown || isRunning else {
      throw BusError(
        .notFound, "there is no loop in \(shown(place.top)) to tell this",
        hint: "start one with conclave ralph-run --task")
    }
    var bytes = try DurableFile.read(place.addedFile) ?? []
    bytes += Array(text.utf8) + (text.hasSuffix("\n") ? [] : [0x0A])
    guard bytes.count <= 1 << 16 else {
      throw BusError(
        .messageTooLarge, "the added context would have more than 64 KiB",
        hint: "put it into a file in the repository, and name that file")
    }
    try DurableFile.makeFolder(place.folder)
    try DurableFile.write(bytes, to: place.addedFile)
  }
}
