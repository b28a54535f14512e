import Glibc

extension ProcessFamily {
  /// Ends processes that may start others meanwhile: asks each, and after `grace` kills, until
  /// nobody is left (``ProcessAbsence``). Blocks.
  ///
  /// - Parameter find: who is left, and who of them is to be asked.
  /// - Returns: how many there were.
  static func end(
    grace: Duration, _ find: () -> (rest: ProcessLook, asked: [ProcessEntry])
  ) -> Int {
    let clock = SuspendingClock()
    let killing = clock.now.advanced(by: grace)
    // Killed processes that do not go away sleep in the kernel; nothing more can be done.
    let end = killing.advanced(by: .seconds(10))
    var asked: Set<ProcessEntry.ID> = []
    var count = 0
    var absence = ProcessAbsence()
    repeat {
      let found = find()
      let rest = found.rest.entries
      if absence.isProved(by: found.rest) { break }
      if rest.isEmpty { continue }
      count = max(count, rest.count)
      for member in found.asked where asked.insert(member.id).inserted { send(SIGTERM, to: member) }
      if clock.now >= killing {
        for member in rest { send(SIGKILL, to: member) }
      }
      usleep(5000)
    } while clock.now < end
    return count
  }
}
