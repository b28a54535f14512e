import ConclaveBus

/// At most one loop in a worktree: a lock on `.ralph.lock`. What the file says is for people only.
enum LoopLock {
  /// - Throws: `busy` while another process has it.
  static func take(_ place: LoopPlace) throws(BusError) -> FileLock {
    if let lock = try FileLock(place.lockFile) { return lock }
    throw taken(place)
  }

  /// The same as far as it can be known without making the file.
  ///
  /// - Throws: `busy` while another process has it.
  static func requireFree(_ place: LoopPlace) throws(BusError) {
    if FileLock.isHeld(place.lockFile) { throw taken(place) }
  }

  private static func taken(_ place: LoopPlace) -> BusError {
    let owner = FileLock.owner(place.lockFile).map { " (process \($0))" } ?? ""
    return BusError(
      .busy, "another loop is at work in \(shown(place.top))\(owner)",
      hint: "wait for it, or see conclave ralph status and conclave ralph stop")
  }
}
