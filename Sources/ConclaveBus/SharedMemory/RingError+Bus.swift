import Glibc
import SharedRing

extension BusError {
  /// A ring's error in the words of the bus.
  init(_ error: RingError, _ location: RingLocation) {
    let path = location.path
    switch error {
    case .impossibleGeometry:
      self.init(
        .unsupported, "the ring's geometry is impossible",
        hint: "slots and lane sizes are powers of two within the documented bounds")
    case .notFound:
      self.init(
        .notFound, "there is no segment \(path)",
        hint: "it is made by the first publish, or the first subscription that is not read-only")
    case .exhausted:
      self.init(
        .exhausted, "all places of the segment \(path) are taken by live processes",
        hint: "end some publishers or subscribers; 'conclave bus status' shows them")
    case .noSpace:
      self.init(
        .noSpace, "no room in \(location.directory) for \(path)",
        hint:
          "enlarge it (mount -o remount,size=...) or remove stale buses: 'conclave bus clean'"
      )
    case .noMemory:
      self.init(
        .noSpace, "no memory for \(path)",
        hint: "raise the limit of this process (ulimit -v) or of its container, or free some")
    case .permissionDenied:
      self.init(
        .permissionDenied, "no permission for \(path)",
        hint: location.rights == .user
          ? "check the rights of \(location.directory)"
          : "nobody but who made it, and root, can remove it from \(location.directory)")
    case .squatted:
      let expected =
        location.rights == .user
        ? "this user's private regular file" : "a regular file of those who share the bus"
      self.init(
        .permissionDenied, "\(path) is not \(expected), so it is not believed",
        hint: "remove it, or have its owner remove it")
    case .incompatible(let mismatch):
      self.init(
        .incompatible, "the segment \(path) \(BusError.describe(mismatch))",
        hint: "when nobody uses it any more, 'conclave bus clean' removes it")
    case .busy:
      self.init(
        .busy, "the segment \(path) is in use",
        hint: "'conclave bus status' shows by whom, but for who only reads: fuser \(path)")
    case .mirrored(let process):
      let who = process.map { "process \($0)" } ?? "another process"
      self.init(
        .busy,
        "\(who) mirrors the bus of \(quotedForError(location.owner)) into a directory that was "
          + "moved or replaced since",
        hint: "end it, and the next mirror goes on with what is not in its files; or put its "
          + "directory back, and it goes on itself")
    case .timedOut(let label, let process):
      self.init(
        .backPressureTimedOut,
        "subscription \(quotedForError(label)) of process \(process) made no room in time",
        hint: "end or wake that process, or let it subscribe with the policy 'dropping'")
    case .cancelled: self = .busClosed
    case .tooLarge(let limit):
      self.init(
        .messageTooLarge, "the message is larger than the bus's limit of \(limit) bytes",
        hint: "split it, or publish the name of a file that holds it")
    case .corrupt:
      self.init(
        .corrupt, "the segment \(path) was cut off, or holds what no participant wrote",
        hint: "end its participants and run 'conclave bus clean'")
    case .system(errno: ENAMETOOLONG):
      self.init(
        .invalidName, "the path of the bus directory is longer than 3,072 bytes",
        hint: "use a directory with a shorter path")
    case .system(let errno):
      self = .system("use the segment", path, errno: errno)
    }
  }

  static var busClosed: BusError {
    BusError(.closed, "the bus is closed", hint: "open it again to go on")
  }

  static func describe(_ mismatch: RingError.Mismatch) -> String {
    switch mismatch {
    case .notASegment: "is not a segment of a bus"
    case .version: "has another layout version"
    case .boot: "is left over from before the machine was restarted"
    case .geometry: "has impossible sizes"
    case .path: "belongs to another bus directory"
    }
  }
}
