import Glibc

extension FileReader {
  /// Opens the files that are there and goes to where the subscription begins in each topic.
  ///
  /// - Throws: `notFound` when there is no message with the id to start behind; `permissionDenied`,
  ///   `system`.
  func start(_ start: SubscriptionOptions.Start) throws(BusError) {
    switch start {
    case .beginning:
      beginsWithOldest = true
      try list()
    case .now: try startNow()
    case .since(let time):
      try list()
      for topic in tails.keys { noteRemovals(of: topic, since: time) }
      for topic in Array(tails.keys) { try skip(topic, before: time) }
    case .after(let id):
      let found = try find(id)
      if prefix.matches(found.tail.topic) { begin(found.tail) }
      try list()
      for topic in Array(tails.keys) where topic != found.tail.topic {
        try skip(topic, through: found.place)
      }
    }
    beginOwing(start)
  }

  /// All of the streams that begin from now on is to be read, or from a time on that is to come.
  private func beginOwing(_ start: SubscriptionOptions.Start) {
    var time = Timestamp.now()
    var incarnation = ProcessIdentity.newIncarnation()
    if case .since(let later) = start {
      time = max(time, later)
      incarnation = max(incarnation, WholeStreams.since(later).incarnation)
    }
    owedSince = time
    tracker.newFrom = incarnation
  }

  // MARK: Now

  private func startNow() throws(BusError) {
    for (topic, files) in try TopicHistory(in: shared.directory).topics
    where prefix.matches(topic) {
      finished[topic] = files.rotated.last
      do throws(BusError) {
        let active = try openFile(TopicFileName(topic), floor: try greatestNumber(topic))
        guard let active else { continue }
        try active.skipToEnd()
        begin(active)
      } catch {
        guard error.code == .exhausted else { throw error }
        wantsAnotherListing = true
      }
    }
  }

  /// Passes over what was rotated since the topic was listed: it was published before now.
  private func greatestNumber(_ topic: Topic) throws(BusError) -> UInt64 {
    var number = finished[topic] ?? 0
    while number < TopicFileName.greatestNumber,
      try TopicFile.look(
        at: TopicFileName(topic, number: number + 1).text, in: shared.directory) != nil
    {
      number += 1
      finished[topic] = number
    }
    return number
  }

  // MARK: Behind an id

  /// Finds the message `id`, in the topics of this subscription first, then in all others. O(bytes
  /// in the files).
  ///
  /// - Returns: its file, read up to behind it, and its place.
  private func find(_ id: MessageID) throws(BusError) -> (tail: FileTail, place: FilePlace) {
    var searched: Set<TopicFile.Identity> = []
    // Files that are rotated meanwhile may be missing from one listing, not from all.
    for _ in 0..<3 {
      let names = try TopicHistory(in: shared.directory).names
      let own = names.filter { prefix.matches($0.topic) }
      let others = names.filter { !prefix.matches($0.topic) }
      var floors: [Topic: UInt64] = [:]
      var isNew = false
      for name in own + others {
        if let number = name.number { floors[name.topic] = number }
        let floor = name.number.map { $0 - 1 } ?? floors[name.topic] ?? 0
        guard let tail = try? searcher(name, floor: floor) else { continue }
        // Active files may have grown, but not with what was there before.
        guard searched.insert(tail.identity).inserted else { continue }
        isNew = true
        if let place = try tail.skip(through: id) { return (tail, place) }
      }
      if !isNew { break }
    }
    throw .noSuchMessage(id, in: shared.directory)
  }

  /// A reader of its own for one file; nil when the file cannot be read, which is not reported.
  private func searcher(_ name: TopicFileName, floor: UInt64) throws(BusError) -> FileTail {
    let (file, status) = try TopicFile.open(name.text, in: shared.directory, flags: O_RDONLY)
    return FileTail(
      name, file: file, identity: TopicFile.Identity(status), floor: floor,
      lineLimit: shared.options.lineLimit, reporter: reporter)
  }

  /// Goes to the first message of `topic` of this time or later.
  private func skip(_ topic: Topic, before time: Timestamp) throws(BusError) {
    var next = tails[topic]
    while let tail = next {
      try tail.skip(before: time)
      if tail.head != nil { return noteReady(tail) }
      guard try isFinished(tail) else { return }
      next = goOn(from: tail)
    }
  }

  /// Goes behind every message of `topic` up to `place`. Along a topic places never fall, but a
  /// batch has one and the same.
  private func skip(_ topic: Topic, through place: FilePlace) throws(BusError) {
    var next = tails[topic]
    while let tail = next {
      if try tail.skip(through: place) { return noteReady(tail) }
      // If it has something at hand after all, that was just appended.
      guard try isFinished(tail) else { return }
      next = goOn(from: tail)
    }
  }
}

extension FileTail {
  /// Goes behind the message `id`, if it is in this file, and returns its place.
  fileprivate func skip(through id: MessageID) throws(BusError) -> FilePlace? {
    isQuiet = true
    defer { isQuiet = false }
    while try advance() {
      let place = head?.parts.id == id ? place : nil
      consumeHead()
      if let place { return place }
    }
    return nil
  }

  /// Goes to the first message behind `place`; returns whether there is one.
  fileprivate func skip(through place: FilePlace) throws(BusError) -> Bool {
    isQuiet = true
    defer { isQuiet = false }
    while try advance() {
      if let own = self.place, own > place { return true }
      consumeHead()
    }
    return false
  }
}
