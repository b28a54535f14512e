import Glibc

extension FileBus {
  /// Whether ``clean(_:)`` would find nobody in the way; removes nothing.
  ///
  /// - Throws: `busy` while a ``FileBus`` is open on the directory; `notFound`, `permissionDenied`,
  ///   `system`.
  public static func checkUnused(_ directory: BusDirectory) throws(BusError) {
    let descriptor = OwnedDescriptor(try directory.open())
    let lock = try FilePresence.exclude(from: descriptor, directory)
    _ = lock.lock(LOCK_UN)
  }
}
