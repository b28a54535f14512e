import ConclaveBus
import Glibc
import SharedRing

/// Says what becomes of a process that mirrors, or waits to. Safe from any thread: the mirror's own
/// says when its term begins, and what goes wrong.
final class MirrorWatch: Sendable {
  enum Role: String {
    case waiting, mirror, ended
  }

  private let directory: BusDirectory
  private let notes: Notes
  /// Options that were given and hold while this process is the mirror.
  private let ofMirror: [String]
  /// Those that hold all the time.
  private let ofAll: [String]
  private let state: Lock<State>

  private struct State {
    var role: Role?
    var line: StatusLine
    /// How many messages were mirrored at the last look.
    var last: (messages: UInt64, time: ContinuousClock.Instant)?
  }

  init(_ directory: BusDirectory, _ notes: Notes, ofMirror: [String], ofAll: [String]) {
    self.directory = directory
    self.notes = notes
    self.ofMirror = ofMirror
    self.ofAll = ofAll
    state = Lock(State(line: StatusLine(isShown: notes.isWatched && !notes.json)))
  }

  /// Opens the bus, and says whether it is the mirror or has to wait.
  func open(_ options: MirrorOptions) throws -> MirroredBus {
    var options = options
    options.onWarning = { [self] in hear($0) }
    options.file.onWarning = { [self] in hear($0) }
    let bus = try MirroredBus(directory: directory, options: options)
    try state.withLock { state in
      // Of being the mirror the other thread tells, sooner or later than this.
      if state.role == nil, !bus.isMirror { try enter(.waiting, &state) }
    }
    return bus
  }

  /// How far the mirror is, whichever process it is. Once a second.
  func report() throws {
    try state.withLock { state in try report(&state) }
  }

  /// To be called after the bus was closed.
  func reportEnd() throws {
    try state.withLock { state in
      let wasMirror = state.role == .mirror
      try enter(.ended, &state)
      let mirror = try SharedMemoryBus.status(of: directory)?.mirror
      guard wasMirror, !notes.json, let mirror, mirror.process == nil, mirror.lag > 0 else {
        return
      }
      notes.say(
        "conclave: \(mirror.lag) records are not in the topic files; the next mirror copies them")
    }
  }

  private func hear(_ warning: BusWarning) {
    state.withLock { state in
      guard case .mirrorTaken = warning else {
        state.line.clear()
        return DeliveryNotes(notes: notes).warn(warning)
      }
      // What cannot be written now cannot be written in a second either, and is an error then.
      try? enter(.mirror, &state)
    }
  }

  private func enter(_ role: Role, _ state: inout State) throws {
    state.role = role
    state.line.clear()
    if notes.json { return try report(&state) }
    switch role {
    case .waiting:
      let other = try SharedMemoryBus.status(of: directory)?.mirror?.process
      let who = other.map { "process \($0)" } ?? "another process"
      let waiting = ofMirror.map { "--\($0)" }.joined(separator: ", ")
      notes.say(
        "conclave: \(who) is the mirror; this one waits for its end"
          + (waiting.isEmpty ? "" : ", and until then \(waiting) will not hold"))
    case .mirror: notes.say("conclave: this process is the mirror of \(directory.path)")
    case .ended: break
    }
  }

  private func report(_ state: inout State) throws {
    guard let role = state.role else { return }
    let segment = try SharedMemoryBus.status(of: directory)
    let rate = rate(of: segment?.mirror, &state)
    if notes.json { return try write(role, segment, rate) }
    guard let mirror = segment?.mirror else { return }
    let trouble = mirror.troubleName.map { ", cannot write (\($0))" } ?? ""
    state.line.show(
      "\(role.rawValue): \(mirror.lag) records behind, \(mirror.messages) messages mirrored, "
        + "\(decimal(rate ?? 0, digits: 0)) per second\(trouble)")
  }

  private func rate(of mirror: SharedMemoryStatus.Mirror?, _ state: inout State) -> Double? {
    let now = ContinuousClock.now
    defer { state.last = mirror.map { ($0.messages, now) } }
    guard let mirror, let last = state.last, mirror.messages >= last.messages, last.time < now
    else { return nil }
    return Double(mirror.messages - last.messages) / (last.time.duration(to: now) / .seconds(1))
  }

  private func write(_ role: Role, _ segment: SharedMemoryStatus?, _ rate: Double?) throws {
    var object = JSONObject()
    object.add("role", role.rawValue)
    object.add("position", segment?.position ?? 0)
    if var mirror = segment?.mirror?.json {
      mirror.add("messagesPerSecond", rate)
      object.add("mirror", mirror)
    } else {
      object.addNull("mirror")
    }
    object.add("optionsInForce", role == .mirror ? ofMirror + ofAll : role == .waiting ? ofAll : [])
    object.add("optionsWaiting", role == .waiting ? ofMirror : [])
    let output = Output(descriptor: STDOUT_FILENO)
    try output.write(object.text + "\n")
    try output.flush()
  }
}
