import StepTracer

/// What a mirror's thread goes through in one term, and where in it there is something to try.
struct StepCourse {
  /// Instructions in all.
  private(set) var length: UInt64 = 0
  /// Instructions behind each system call until the next; the first number: until the first call.
  private(set) var stretches: [UInt64] = []
  /// Behind each instruction after which others see something else than before.
  private(set) var states: [StepPlace] = []

  /// One moment of a term.
  struct Moment {
    var place: StepPlace
    /// What the bus directory holds,
    var files: StepFiles
    /// and held before the system call that the thread has just come back from, if that has
    /// changed something.
    var filesBefore: StepFiles?
    /// Whether others see something else than an instruction ago.
    var isNew: Bool
  }

  /// How a mirror is taken through its term.
  struct Pace {
    /// From one place that is looked at to the next, if nothing changes in between; nil: only
    /// changes are looked at.
    var stride: UInt64?
    /// So many instructions behind each system call are stepped, and the others run through; nil:
    /// all are stepped.
    var window: UInt64?
  }

  /// Takes a mirror through its term.
  ///
  /// - Parameter look: looks at one moment; returns whether to go on.
  init(_ episode: StepEpisode, _ pace: Pace, look: (Moment) throws -> Bool) throws {
    var files = try StepFiles(reading: episode.world.bus.path)
    var next = pace.stride
    var (isWanted, lastCall, calls) = (true, UInt64(0), UInt64(0))
    while isWanted, !episode.hasEnded {
      let hasChanged = try StepCourse.advance(episode, pace, until: next)
      length = episode.thread.steps
      if episode.hasEnded { break }
      let place = StepPlace(calls: episode.thread.calls, since: episode.thread.since)
      var moment = Moment(place: place, files: files, isNew: hasChanged)
      if place.calls > calls {
        stretches.append(length - lastCall)
        (calls, lastCall) = (place.calls, length)
        files = try StepFiles(reading: episode.world.bus.path)
        if files != moment.files {
          moment = Moment(place: place, files: files, filesBefore: moment.files, isNew: true)
        }
      }
      if moment.isNew { states.append(place) }
      let isDue = next.map { length >= $0 } ?? false
      if isDue { next = pace.stride.map { length + $0 } }
      if moment.isNew || isDue { isWanted = try look(moment) }
    }
  }

  /// - Parameter next: the number of the step that is looked at in any case.
  /// - Returns: whether something has changed in the segment.
  private static func advance(
    _ episode: StepEpisode, _ pace: Pace, until next: UInt64?
  ) throws -> Bool {
    let window = pace.window.map { $0 - min($0, episode.thread.since) } ?? .max
    if window == 0 { return try episode.goToNextCall() }
    return try episode.go(min(window, next.map { $0 - episode.thread.steps } ?? .max))
  }
}
