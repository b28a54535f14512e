import SharedRing

/// Forces appended files to the disk, some time after the first append that was not yet: one sync
/// for all that came meanwhile. A thread works on it only while there is something to sync.
final class FileSyncer: Sendable {
  private struct State {
    var dirty: [TopicAppender] = []
    var isRunning = false
  }

  private let state = Lock(State())
  private let wakeUp = Event()

  /// Has `appender` synced within `interval`.
  func noteAppend(to appender: TopicAppender, interval: Duration) {
    let mustStart = state.withLock { state in
      if !state.dirty.contains(where: { $0 === appender }) { state.dirty.append(appender) }
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard mustStart else { return }
    BlockingThreads.shared.run { [self] in run(every: interval) }
  }

  /// Syncs what is still to be synced, at once.
  func flush() throws(BusError) {
    try synchronize(takeDirty())
  }

  private func run(every interval: Duration) {
    while true {
      let deadline = ContinuousClock.now.advanced(by: interval)
      while ContinuousClock.now < deadline {
        wakeUp.wait(wakeUp.prepareToWait(), until: deadline)
      }
      let dirty = takeDirty()
      // A failure stays with the appender, whose next publish reports it.
      try? synchronize(dirty)
      let isDone = state.withLock { state in
        guard state.dirty.isEmpty else { return false }
        state.isRunning = false
        return true
      }
      if isDone { return }
    }
  }

  private func takeDirty() -> [TopicAppender] {
    state.withLock { state in
      defer { state.dirty = [] }
      return state.dirty
    }
  }

  private func synchronize(_ appenders: [TopicAppender]) throws(BusError) {
    var first: BusError?
    for appender in appenders {
      do throws(BusError) { try appender.synchronize() } catch { first = first ?? error }
    }
    if let first { throw first }
  }
}
