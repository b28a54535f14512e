import ConclaveBus

/// What is done to a mirror, rather than to a copy.
extension MirrorCommand {
  /// A new mirror, up to a place, and what becomes of it there.
  func disturb(
    _ way: Way, _ title: String, _ what: StepCase, _ place: StepPlace, _ tally: inout Tally
  ) throws {
    let episode = try episode(what)
    guard try episode.go(to: place) else { return try finish(episode, title, &tally) }
    let place = "\(title), \(place)"
    switch way {
    case .pairs: return try judgeSecondTerm(of: episode, place, &tally)
    case .kill, .snapshot: kill(episode)
    case .stop: stop(episode, &tally)
    }
    tally.points += 1
    say(episode.world.faults.all, place, &tally)
  }

  private func kill(_ episode: StepEpisode) {
    let world = episode.world
    do {
      // It waits for the place before there is a death to wait for.
      let heir = try world.bus.open(isCandidate: true, world.faults)
      try episode.kill()
      try settle(episode, heir, [:])
    } catch { world.faults.add("nobody can go on: \(error)") }
  }

  private func stop(_ episode: StepEpisode, _ tally: inout Tally) {
    let world = episode.world
    do {
      let heir = try world.bus.open(isCandidate: true, world.faults)
      let publisher = try world.bus.open(isCandidate: false, world.faults)
      var crowd = MirrorCrowd(publisher)
      try crowd.publishUntilHeldUp(by: heir)
      if crowd.count < MirrorCrowd.messages { tally.heldUp += 1 }
      if crowd.count > StepBus.slotCount, !heir.isMirror {
        world.faults.add("nobody mirrors, and \(crowd.count) messages are published")
      }
      try episode.finish()
      try crowd.publishAll()
      publisher.close()
      try settle(episode, heir, ["crowd": MirrorCrowd.messages])
    } catch { world.faults.add("nobody can go on: \(error)") }
  }
}

/// Publishes two laps of the ring.
struct MirrorCrowd {
  private let bus: MirroredBus
  private(set) var count = 0

  static let messages = 2 * StepBus.slotCount

  init(_ bus: MirroredBus) { self.bus = bus }

  /// As much as there is room for while the mirror is stopped, or all when `heir` is the mirror.
  mutating func publishUntilHeldUp(by heir: MirroredBus) throws(PublishFailure) {
    while count < MirrorCrowd.messages {
      let wait: PublishWait = heir.isMirror ? .blocking : .never
      let published = try publish(wait)
      count += published
      if published == 0, !heir.isMirror { return }
    }
  }

  mutating func publishAll() throws(PublishFailure) {
    while count < MirrorCrowd.messages { count += try publish(.blocking) }
  }

  private func publish(_ wait: PublishWait) throws(PublishFailure) -> Int {
    let step = StepMessage(sender: "crowd", number: count + 1)
    let (message, topic): (Message, Topic)
    do throws(BusError) { (message, topic) = (try step.message(50), try step.topic) } catch {
      throw PublishFailure(error)
    }
    return try bus.publish([message], to: topic, wait: wait)
  }
}

extension StepCourse {
  /// Of a stretch without a system call only so many instructions are tried, where each place is
  /// come to step by step: in the making of a long line there is little to be found, and far to go.
  private static let reach: UInt64 = 20_000

  /// At most so many places, spread evenly: half of them where something has changed.
  func sample(_ count: UInt64) -> [StepPlace] {
    let half = max(1, Int(count) / 2)
    let changes = states.filter { $0.since < StepCourse.reach }
    let all = stretches.reduce(0) { $0 + Int(min($1, StepCourse.reach)) }
    return StepCourse.spread(half, over: changes.count).map { changes[$0] }
      + StepCourse.spread(half, over: all).map { place(at: UInt64($0)) }
  }

  private static func spread(_ count: Int, over all: Int) -> [Int] {
    all <= count ? Array(0..<all) : (0..<count).map { $0 * all / count }
  }

  /// Behind so many of the instructions that are tried.
  private func place(at step: UInt64) -> StepPlace {
    var rest = step
    for (calls, stretch) in stretches.enumerated() {
      let part = min(stretch, StepCourse.reach)
      if rest < part { return StepPlace(calls: UInt64(calls), since: rest) }
      rest -= part
    }
    return StepPlace(calls: UInt64(stretches.count), since: 0)
  }
}
