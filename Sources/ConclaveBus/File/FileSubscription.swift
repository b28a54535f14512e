import CShim
import SharedRing
import Synchronization

/// Delivers what is appended to the topic files that match a prefix. Nothing is ever dropped: the
/// files are the buffer, and a subscription reads no further than it is asked to.
final class FileSubscription: SubscriptionSource {
  private let shared: FileBusShared
  private let prefix: TopicPrefix
  private let reporter: FileReporter
  private let watcher: FileWatcher
  /// Touched only by who holds ``turn``. A `Mutex` around the reader itself would not lend it
  /// together with the closures of ``drain(limit:onGap:onMessage:)``.
  private nonisolated(unsafe) let reader: FileReader
  private let turn = Lock(StreamPace(at: conclave_monotonic_ns()))
  private let closeMark = Lock<FileCloseMark?>(nil)
  private let isClosed = Atomic<Bool>(false)
  /// Whether a sleep would be a mistake: there is something at hand, or to look at.
  private let isBusy = Atomic<Bool>(true)
  /// Whether to look again soon although nobody will tell.
  private let isImpatient = Atomic<Bool>(false)
  private let looksUntold = Atomic<Bool>(true)

  init(
    shared: FileBusShared, prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) {
    self.shared = shared
    self.prefix = prefix
    reporter = FileReporter(onWarning: options.onWarning)
    // Before the first listing, so that nothing comes between the two unnoticed.
    watcher = try FileWatcher(
      path: shared.path, directory: shared.directory, options: shared.options)
    let reader = FileReader(shared: shared, prefix: prefix, reporter: reporter)
    try reader.start(options.start)
    unsafe self.reader = reader
    if shared.options.useInotify, let reason = watcher.pollingReason {
      reporter.warn(.pollingInstead(reason: reason))
    }
  }

  var losses: SubscriptionLosses { reporter.losses }

  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    try shared.mark.check()
    return try turn.withLock { (pace) throws(BusError) in
      let reader = unsafe reader
      try lookAround(reader)
      let count = try reader.deliver(limit: limit, onGap: onGap, onMessage: onMessage)
      if count > 0 { watcher.noteData() }
      let ended = reader.hasEnded
      isImpatient.store(reader.wantsAnotherLook, ordering: .relaxed)
      let mustLook = !ended && keepPace(&pace, count)
      isBusy.store(reader.hasBacklog || ended || mustLook, ordering: .releasing)
      return DrainResult(count: count, ended: ended)
    }
  }

  /// Looks at the files if there may be news.
  private func lookAround(_ reader: FileReader) throws(BusError) {
    if let mark = closeMark.withLock({ $0.take() }) { try reader.beginClosing(mark) }
    let news = watcher.collect()
    let isUntold = looksUntold.exchange(false, ordering: .relaxed)
    let isPolling = watcher.isPolling && reader.isPollDue
    guard news > .none || isUntold || isPolling || watcher.isDeaf || reader.wantsAnotherLook
    else { return }
    try reader.look(listing: news == .names || isUntold || isPolling)
  }

  /// Stops inotify from telling of each append while messages come as a stream.
  ///
  /// - Returns: whether files must be looked at before anybody sleeps.
  private func keepPace(_ pace: inout StreamPace, _ count: Int) -> Bool {
    if watcher.isPolling { return false }
    pace.note(count, at: conclave_monotonic_ns())
    guard pace.isStream != watcher.isDeaf else { return false }
    guard watcher.listen(!pace.isStream) else {
      pace.giveUp()
      return false
    }
    if !pace.isStream { looksUntold.store(true, ordering: .relaxed) }
    return !pace.isStream
  }

  func park(until deadline: ContinuousClock.Instant?) {
    if isBusy.load(ordering: .acquiring) { return }
    let isInTime = watcher.park(until: deadline, hurry: isImpatient.load(ordering: .relaxed))
    if isInTime, !watcher.isDeaf { looksUntold.store(true, ordering: .relaxed) }
  }

  func wake() { watcher.wake() }

  func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let mark = FileCloseMark(shared.directory, prefix: prefix)
    closeMark.withLock { $0 = mark }
    isBusy.store(true, ordering: .releasing)
    watcher.wake()
  }

  func cancel() {
    turn.withLock { _ in unsafe reader.cancel() }
    isBusy.store(true, ordering: .releasing)
    watcher.finish()
  }
}
