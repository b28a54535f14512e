import Glibc
import SharedRing

/// Why a message is not in its file, though nothing has gone wrong: what can be known of it.
struct MirrorAbsence {
  /// The mirror of this segment.
  private let mirror: UInt32?
  /// Whether the file of this segment is still there, for others to open.
  private let isSegmentNamed: Bool
  /// Who has the mirror's lock of the bus directory.
  private let holder: String?

  init(_ board: RingMirrorBoard, _ directory: BusDirectory) {
    mirror = board.process(labelled: Mirror.label)
    isSegmentNamed = board.isNamed
    let descriptor = try? directory.open()
    holder = descriptor.flatMap { MirrorLock.living(in: $0)?.process }
  }

  /// - Parameters:
  ///   - patience: how long was waited.
  ///   - isInFile: whether the message is in its file, and only the disk was waited for.
  func error(after patience: Duration, isInFile: Bool) -> BusError {
    let (reason, advice) = words
    if isInFile {
      return BusError(
        .notDurable,
        "the message is in its topic's file, but was not forced to the disk within \(patience): "
          + reason,
        hint: advice)
    }
    return BusError(
      .notDurable, "the message was not in its topic's file within \(patience): \(reason)",
      hint: "subscribers have it; \(advice)")
  }

  private var words: (reason: String, advice: String) {
    if let mirror {
      return (
        "the mirror, process \(mirror), is behind or stopped",
        "see how far it is with conclave bus status"
      )
    }
    if !isSegmentNamed {
      return (
        "nobody mirrors this process's segment, whose file was removed",
        "open the bus anew (who opened it before cannot be reached from there), then publish again "
          + "what has to be kept"
      )
    }
    if let holder {
      return (
        "process \(holder) has the mirror's lock, but does not mirror this segment",
        "if the file of its segment was removed, it mirrors that one until it ends: end it, and "
          + "the next mirror copies the message"
      )
    }
    return ("no mirror is running", "start one: conclave bus mirror")
  }
}
