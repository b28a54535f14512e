import CShim

/// Whether the directory that the mirror writes into still is the bus's: who moves or removes it
/// takes it out of everybody's sight, and what is written then would be acknowledged and not be
/// found.
struct MirrorPlace {
  private let directory: BusDirectory
  private var nextLook: UInt64 = 0
  /// Whether it was not in its place at the last look.
  private var isLost = false

  /// So long it is trusted to be where it was, nanoseconds.
  private static let trust: UInt64 = 50_000_000

  init(_ directory: BusDirectory) { self.directory = directory }

  /// Looks, if it is time to. A system call at most.
  ///
  /// - Throws: `notFound` when it was moved, removed or replaced.
  mutating func check() throws(BusError) {
    let now = conclave_monotonic_ns()
    if isLost || now >= nextLook {
      isLost = !directory.isInPlace
      nextLook = now + MirrorPlace.trust
    }
    if isLost { throw MirrorPlace.error(directory) }
  }

  /// - Throws: as ``check()``.
  static func check(_ directory: BusDirectory) throws(BusError) {
    guard directory.isInPlace else { throw error(directory) }
  }

  private static func error(_ directory: BusDirectory) -> BusError {
    BusError(
      .notFound,
      "the bus directory \(quotedForError(directory.path)) was moved or removed; nothing is "
        + "mirrored until it is back, or until this process ends and another one goes on",
      hint: "put it back, or end this process")
  }
}
