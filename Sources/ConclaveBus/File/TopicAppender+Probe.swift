import CShim
import Glibc
import SharedRing

/// Finds out whether a file would take more, or could be made, without changing anything.
enum FileProbe {
  /// How much, in bytes.
  private static let bytes: UInt64 = 64 << 10

  /// - Throws: why `file`, which is `length` bytes long and called `name`, takes nothing more.
  static func takesMore(
    _ file: OwnedDescriptor, at length: UInt64, _ name: String
  ) throws(BusError) {
    // Beyond the end, so that the file is as long as before to whoever reads it.
    let failure = conclave_file_reserve(file.number, length, bytes)
    // Where that cannot be done nothing can be learned.
    guard [0, EOPNOTSUPP, ENOSYS, EINTR].contains(failure) else {
      throw .system("append to", name, errno: failure)
    }
    // Gives the room back.
    try TornTail.cut(file, to: length)
  }

  /// - Throws: why no file can be made in `directory`.
  static func makesFiles(in directory: OwnedDescriptor) throws(BusError) {
    let file = conclave_file_unnamed(directory.number)
    if file >= 0 {
      close(file)
      return
    }
    guard [EOPNOTSUPP, EINTR].contains(errno) else {
      throw .system("make a file in", "the bus directory")
    }
  }
}

extension TopicAppender {
  /// Finds out, without appending anything, whether something could be appended: whether the file
  /// is one and can be locked, and whether there is room for it.
  ///
  /// - Throws: why not.
  func probe() throws(BusError) {
    try state.withLock { state throws(BusError) in
      guard let (file, length) = try lockedFile(&state, .never) else { throw lockKept(&state) }
      defer { _ = file.lock(LOCK_UN) }
      let whole = try repairedLength(state.file?.knownEnd, (file, length))
      state.file?.knownEnd = whole
      try FileProbe.takesMore(file, at: whole, fileName)
    }
  }
}
