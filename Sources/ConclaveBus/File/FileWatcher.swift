import CShim
import Glibc
import SharedRing
import Synchronization

/// What a subscription sleeps on: inotify for news in the directory, or a poll interval where
/// inotify does not work, and an event descriptor by which other threads wake it.
///
/// What inotify says only means "look again". ``park(until:hurry:)`` leaves its events unread, so
/// it returns at once until ``collect()`` has read them: news between a look and a sleep is never
/// slept through, whichever thread looks and whichever sleeps.
///
/// Each append that inotify tells of costs its publisher 0.6 us, under the file's lock. So where
/// there is no need to be told, ``listen(_:)`` stops it.
final class FileWatcher: Sendable {
  /// What inotify has told since the last time.
  enum News: Int, Comparable {
    case none, contents, names

    static func < (left: News, right: News) -> Bool { left.rawValue < right.rawValue }
  }

  private struct State {
    /// How many threads are in ``park(until:hurry:)``.
    var parked = 0
    /// Looks in vain, in a row, and the interval that follows from them.
    var idle = 0
    var interval: Duration
    var isFinished = false
    var inotify: OwnedDescriptor?
    /// The number of its watch.
    var watch: Int32 = -1
    var signal: OwnedDescriptor?
  }

  /// The longest sleep even where inotify works, in case that it is not told everything.
  private static let longestSleep = Duration.seconds(1)
  /// The longest sleep while it is not told of appends.
  private static let longestDeafSleep = Duration.milliseconds(1)
  private static let looksBeforeSlowing = 5
  private static let watched =
    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR

  private let state: Lock<State>
  private let pollInterval: Duration
  private let pollMaxInterval: Duration
  private let directory: OwnedDescriptor
  private let deaf = Atomic<Bool>(false)
  /// Why inotify is not used; nil when it is.
  let pollingReason: String?

  /// - Throws: `exhausted`, `system`.
  init(
    path: String, directory: OwnedDescriptor, options: FileBusOptions
  ) throws(BusError) {
    let signal = conclave_eventfd()
    guard signal >= 0 else { throw .system("make an event descriptor for", path) }
    pollInterval = options.pollInterval
    pollMaxInterval = max(options.pollMaxInterval, options.pollInterval)
    self.directory = directory
    var initial = State(interval: pollInterval, signal: OwnedDescriptor(signal))
    if options.useInotify {
      pollingReason = FileWatcher.watch(path, &initial)
    } else {
      pollingReason = "inotify is switched off"
    }
    state = Lock(initial)
  }

  /// - Returns: why it does not work; nil when it does.
  private static func watch(_ path: String, _ state: inout State) -> String? {
    let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard number >= 0 else { return unsafe String(cString: strerror(errno)) }
    let inotify = OwnedDescriptor(number)
    state.watch = unsafe inotify_add_watch(number, path, UInt32(watched))
    guard state.watch >= 0 else { return unsafe String(cString: strerror(errno)) }
    state.inotify = inotify
    return nil
  }

  /// Whether ``collect()`` hears of news.
  var isPolling: Bool { pollingReason != nil }

  /// Whether it is not told of appends: then ``park(until:hurry:)`` sleeps for a millisecond at
  /// most, and files should be looked at without having been told.
  var isDeaf: Bool { deaf.load(ordering: .relaxed) }

  /// Has inotify tell of appends, or of the coming and going of files only. After listening has
  /// begun again, files must be looked at once: nobody told of what came before.
  ///
  /// - Returns: whether it could be done; if not, everything stays as it was.
  func listen(_ toAppends: Bool) -> Bool {
    state.withLock { state in
      guard let inotify = state.inotify else { return false }
      let mask = FileWatcher.watched & (toAppends ? ~0 : ~IN_MODIFY)
      // The directory's own name may stand for another one by now, which must not be watched.
      let path = "/proc/self/fd/\(directory.number)"
      let watch = unsafe inotify_add_watch(inotify.number, path, UInt32(mask))
      if watch >= 0, watch != state.watch { _ = inotify_rm_watch(inotify.number, watch) }
      guard watch >= 0, watch == state.watch else { return false }
      deaf.store(!toAppends, ordering: .relaxed)
      return true
    }
  }

  /// Reads what inotify has told. Does not block.
  func collect() -> News {
    guard let inotify = state.withLock({ $0.inotify }) else { return .none }
    var news = News.none
    unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
      // The queue is bounded by the kernel; events that arrive meanwhile may wait for the next
      // time.
      for _ in 0..<64 {
        let count = unsafe read(inotify.number, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        news = unsafe max(news, FileWatcher.news(in: UnsafeRawBufferPointer(buffer), count))
        if count < 8 << 10 { return }
      }
    }
    return news
  }

  private static func news(in events: UnsafeRawBufferPointer, _ count: Int) -> News {
    var index = 0
    while index + MemoryLayout<inotify_event>.size <= count {
      let event = unsafe events.loadUnaligned(fromByteOffset: index, as: inotify_event.self)
      if event.mask != UInt32(IN_MODIFY) { return .names }
      index += MemoryLayout<inotify_event>.size + Int(event.len)
    }
    return .contents
  }

  /// Tells that a look found something: polling becomes frequent again.
  func noteData() {
    guard isPolling else { return }
    state.withLock { state in
      state.idle = 0
      state.interval = pollInterval
    }
  }

  // MARK: Sleeping and waking

  /// Blocks until there may be news, until ``wake()``, or until the deadline, at most for a second
  /// or for the poll interval.
  ///
  /// - Returns: whether it slept to the end: then files should be looked at without having been
  ///   told.
  func park(until deadline: ContinuousClock.Instant?, hurry: Bool) -> Bool {
    let (descriptors, longest) = state.withLock { state in
      state.parked += 1
      let longest =
        isPolling
        ? state.interval : isDeaf ? FileWatcher.longestDeafSleep : FileWatcher.longestSleep
      return ((state.inotify, state.signal), hurry ? min(longest, .milliseconds(10)) : longest)
    }
    defer { leave() }
    guard let signal = descriptors.1 else { return false }
    var waited = [pollfd(fd: signal.number, events: Int16(POLLIN), revents: 0)]
    if let inotify = descriptors.0 {
      waited.append(pollfd(fd: inotify.number, events: Int16(POLLIN), revents: 0))
    }
    let left = deadline.map { ContinuousClock.now.duration(to: $0) } ?? longest
    // Rounded up, or the last millisecond would be spent looking at the clock.
    let milliseconds = (max(0, min(left, longest).nanoseconds) + 999_999) / 1_000_000
    let woken =
      unsafe poll(&waited, nfds_t(waited.count), Int32(clamping: milliseconds)) != 0
    if !woken, left >= longest { noteIdle() }
    return !woken
  }

  private func noteIdle() {
    state.withLock { state in
      state.idle += 1
      guard state.idle > FileWatcher.looksBeforeSlowing else { return }
      state.interval = min(state.interval * 2, pollMaxInterval)
    }
  }

  /// The last to leave resets the signal, so that it has woken everybody who slept.
  private func leave() {
    state.withLock { state in
      state.parked -= 1
      guard state.parked == 0 else { return }
      if state.isFinished {
        state.inotify = nil
        state.signal = nil
      } else if let signal = state.signal {
        var count: UInt64 = 0
        _ = unsafe read(signal.number, &count, 8)
      }
    }
  }

  /// Ends every ``park(until:hurry:)`` that is under way, or else the next one.
  func wake() {
    state.withLock { state in
      guard let signal = state.signal else { return }
      var one: UInt64 = 1
      _ = unsafe write(signal.number, &one, 8)
    }
  }

  /// Wakes everybody and gives back the descriptors, once nobody uses them. Idempotent.
  func finish() {
    wake()
    state.withLock { state in
      state.isFinished = true
      guard state.parked == 0 else { return }
      state.inotify = nil
      state.signal = nil
    }
  }
}
