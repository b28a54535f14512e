import BusTesting
import ConclaveBus
import Glibc
import StepTracer

/// Where a thread stands: so many instructions behind so many system calls. Its counts vary between
/// runs by what other threads do, but little within one stretch.
struct StepPlace: Hashable {
  var calls: UInt64
  var since: UInt64
}

/// One world, a worker whose mirror's thread is stepped through its term, and somebody who waits.
final class StepEpisode {
  let world: StepWorld
  let waiter: StepWaiter
  var thread = step_thread()
  let segment: StepSegment

  private let words: [String]
  /// Comes to its end when who waits has all that it waits for: then a worker is to end.
  private let input: Int32

  init(_ what: StepCase, defect: String?) throws {
    world = try StepWorld(what)
    segment = try StepSegment(world.bus.segmentPath())
    let before = try StepEpisode.frontier(of: world)
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SystemFailure("socketpair") }
    input = ends[0]
    words =
      [StepEpisode.program, StepWorker.word, world.bus.root] + (defect.map { [$0] } ?? [])
    waiter = try StepWaiter(world, gate: ends[1])
    // Nothing of it can be there yet when there is no room.
    if what.burst < StepBus.slotCount {
      _ = try waitUntil("a message that waits") {
        try StepEpisode.frontier(of: world) > before ? true : nil
      }
    }
    try begin()
  }

  deinit {
    unsafe step_thread_kill(&thread)
    close(input)
  }

  private static func frontier(of world: StepWorld) throws -> UInt64 {
    try world.bus.status()?.position ?? 0
  }

  private static let program: String = {
    guard let name = unsafe realpath("/proc/self/exe", nil) else { return "" }
    defer { unsafe free(name) }
    return unsafe String(cString: name)
  }()

  /// A worker, the first or another one when that is dead, up to where it takes office.
  func begin() throws {
    let copies = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    try check("begin", unsafe step_thread_begin(copies, input, &thread))
  }

  private func check(_ what: String, _ failure: Int32) throws {
    if failure != 0 { throw SystemFailure("\(what) a mirror step by step", errorNumber: failure) }
  }

  // MARK: Steps

  var hasEnded: Bool { thread.has_ended != 0 }

  /// As `step_thread_on`.
  ///
  /// - Returns: whether something has changed in the segment.
  func go(_ count: UInt64) throws -> Bool {
    var hasChanged: Int32 = 0
    try unsafe segment.withSight { sight in
      try check("execute", unsafe step_thread_on(&thread, count, sight, &hasChanged))
    }
    return hasChanged != 0
  }

  /// Lets it run until it has come back from its next system call.
  ///
  /// - Returns: whether something has changed in the segment.
  func goToNextCall() throws -> Bool {
    var hasChanged: Int32 = 0
    try unsafe segment.withSight { sight in
      let calls = thread.calls + 1
      try check("run", unsafe step_thread_run(&thread, calls, sight, &hasChanged))
    }
    return hasChanged != 0
  }

  /// - Returns: false when its term was over before.
  func go(to place: StepPlace) throws -> Bool {
    while !hasEnded, thread.calls < place.calls { _ = try goToNextCall() }
    while !hasEnded, thread.calls == place.calls, thread.since < place.since {
      _ = try go(place.since - thread.since)
    }
    return !hasEnded
  }

  func kill() throws { try check("kill", unsafe step_thread_kill(&thread)) }

  /// Lets it go on to its end, which must be a good one.
  func finish() throws {
    try check("end", unsafe step_thread_finish(&thread))
    if thread.status != 0 { world.faults.add("the mirror ended with status \(thread.status)") }
  }
}

extension StepBus {
  func status() throws(BusError) -> SharedMemoryStatus? {
    try SharedMemoryBus.status(of: directory(), in: "\(root)/segments")
  }
}
