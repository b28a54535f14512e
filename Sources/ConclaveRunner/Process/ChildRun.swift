import CShim
public import ConclaveBus
import Glibc
import Synchronization

/// Runs one program to its end, and ends what it leaves behind.
///
/// Blocks the calling thread, so call it on one of your own, not on Swift's cooperative threads. It
/// installs no signal handler and needs none: the program's end, its output, the stop signal and
/// the clock are waited for with one `poll`.
public struct ChildRun {
  private let request: ChildRequest
  private let stop: StopSignal?
  private let family: ProcessFamily
  private let ending: OwnedFile
  private var output: ChildPipe?
  private var errors: ChildPipe?
  private var pace: ChildPace

  /// - Parameters:
  ///   - stop: ends the program early.
  ///   - onLongRun: called once, on the calling thread, when 60 % of the time limit are over.
  ///   - onWake: called on the calling thread at least about once a second, with the time so far.
  /// - Throws: `notFound`, `permissionDenied`, `exhausted` or `system` when it cannot be started.
  public static func run(
    _ request: ChildRequest, stop: StopSignal? = nil,
    onLongRun: (Duration) -> Void = { _ in }, onWake: (Duration) -> Void = { _ in }
  ) throws(BusError) -> ChildResult {
    var run = try ChildRun(request, stop)
    return run.finish(onLongRun, onWake)
  }

  private init(_ request: ChildRequest, _ stop: StopSignal?) throws(BusError) {
    self.request = request
    self.stop = stop
    let input = try OwnedFile.inMemory(request.input)
    let (output, outputEnd) = try ChildRun.outputs(request)
    self.output = output
    var errorEnd = outputEnd
    if !request.mergesErrors, request.outputFile == nil {
      (errors, errorEnd) = try ChildPipe.make(limit: request.outputLimit)
    }
    let mark = ChildRun.newMark()
    var environment = request.environment
    environment[ProcessFamily.markName] = mark
    let pid = try ChildStart.start(
      request, environment, [input.number, outputEnd.number, errorEnd.number])
    family = ProcessFamily(leader: pid, mark: mark)
    family.register()
    ending = OwnedFile(conclave_child_open(pid))
    pace = ChildPace(
      limit: request.timeLimit, grace: request.grace, patience: request.stopPatience)
  }

  /// What is read from, if anything, and the end for the program.
  private static func outputs(
    _ request: ChildRequest
  ) throws(BusError) -> (ChildPipe?, OwnedFile) {
    guard let path = request.outputFile else {
      return try ChildPipe.make(limit: request.outputLimit)
    }
    let file = OwnedFile(
      unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600))
    guard file.number >= 0 else { throw systemError("write \(shown(path))") }
    return (nil, file)
  }

  private static let serial = Atomic(0)

  private static func newMark() -> String {
    let number = serial.wrappingAdd(1, ordering: .relaxed).newValue
    return "\(getpid())-\(number)-\(Timestamp.now().nanosecondsSinceEpoch)"
  }

  private mutating func finish(
    _ onLongRun: (Duration) -> Void, _ onWake: (Duration) -> Void
  ) -> ChildResult {
    while !wait() {
      onWake(pace.elapsed)
      switch pace.next(isStopped: stop?.reason != nil) {
      case .nothing: break
      case .warn(let elapsed): onLongRun(elapsed)
      case .ask where request.looksAfterItsOwn: family.sendToLeader(SIGTERM)
      case .ask: family.send(SIGTERM)
      case .kill: family.send(SIGKILL)
      }
    }
    drain()
    var leftovers = 0
    if request.endsLeftovers || pace.cause != .itself {
      leftovers = family.endLeftovers(
        grace: pace.cause == .itself ? min(request.grace, .seconds(1)) : request.grace)
    }
    // What they have said before they died.
    drain()
    var status: Int32 = 0
    while unsafe waitpid(family.leader, &status, 0) < 0, errno == EINTR {}
    family.unregister()
    // The bits of a wait status as wait(2) describes them: its macros are not known to Swift.
    let signal = status & 0x7F
    return ChildResult(
      exit: signal != 0 ? .signal(signal) : .code(status >> 8 & 0xFF), cause: pace.cause,
      output: output?.captured ?? CapturedOutput(), errors: errors?.captured ?? CapturedOutput(),
      duration: pace.elapsed, leftovers: leftovers)
  }

  /// Sleeps until something happens or is due, and reads what has been written.
  ///
  /// - Returns: whether the program has ended.
  private mutating func wait() -> Bool {
    var watched = [
      pollfd(fd: ending.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: output?.number ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors?.number ?? -1, events: Int16(POLLIN), revents: 0),
      // Once it is known, a signal that stays readable would only keep us awake.
      pollfd(
        fd: pace.heedsStop ? stop?.descriptor ?? -1 : -1, events: Int16(POLLIN), revents: 0),
    ]
    _ = unsafe poll(&watched, 4, pace.milliseconds)
    if watched[1].revents != 0 { output?.read() }
    if watched[2].revents != 0 { errors?.read() }
    return watched[0].revents != 0 || (ending.number < 0 && hasEnded)
  }

  /// For a system without process descriptors, or without a free one.
  private var hasEnded: Bool { ProcessTable.entry(family.leader)?.isZombie ?? true }

  private mutating func drain() {
    output?.read()
    errors?.read()
  }
}
