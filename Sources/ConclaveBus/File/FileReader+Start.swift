import Glibc

extension FileReader {
  /// Opens the files that are there and goes to where the subscription begins in each.
  ///
  /// - Throws: `notFound` when there is no message with the id to start behind; `permissionDenied`,
  ///   `system`.
  func start(_ start: SubscriptionOptions.Start) throws(BusError) {
    switch start {
    case .beginning: try list()
    case .now:
      try list()
      for tail in tails.values { try tail.skipToEnd() }
    case .since(let time):
      try list()
      for tail in tails.values {
        try tail.skip(before: time)
        if tail.head != nil { noteReady(tail) }
      }
    case .after(let id):
      try list()
      let found = try find(id)
      for tail in tails.values {
        try tail.skip(through: id, at: tail.identity == found.file ? nil : found.place)
        if tail.head != nil { noteReady(tail) }
      }
    }
  }

  /// Where the message `id` is, looked for in the files of this subscription, then in all others.
  /// O(bytes in the files).
  private func find(
    _ id: MessageID
  ) throws(BusError) -> (file: TopicFile.Identity, place: FilePlace) {
    let own = tails.keys.sorted()
    let others = try TopicFile.names(in: shared.directory).map(\.name).filter { tails[$0] == nil }
    for name in own + others.sorted() {
      guard let topic = TopicFile.topic(named: name), let tail = searcher(name, topic) else {
        continue
      }
      while try tail.advance() {
        if tail.head?.parts.id == id, let place = tail.place { return (tail.identity, place) }
        tail.consumeHead()
      }
    }
    throw BusError(
      .notFound, "no file of this bus holds a message with the id \(id)",
      hint: "start at the beginning, or with what comes from now on")
  }

  /// A reader of its own for one file, which reports nothing; nil when the file cannot be read.
  private func searcher(_ name: String, _ topic: Topic) -> FileTail? {
    guard let (file, status) = try? TopicFile.open(name, in: shared.directory, flags: O_RDONLY)
    else { return nil }
    return FileTail(
      topic: topic, name: name, file: file, identity: TopicFile.Identity(status),
      lineLimit: shared.options.lineLimit, reporter: FileReporter(onWarning: nil))
  }
}

extension FileTail {
  /// Goes behind the message `id`, which is in this file; or, in another file, behind every message
  /// up to `place`. Along a file places never fall, but a batch has one and the same.
  fileprivate func skip(through id: MessageID, at place: FilePlace?) throws(BusError) {
    isQuiet = true
    defer { isQuiet = false }
    while try advance(), let own = self.place, let head {
      if let place, own > place { return }
      consumeHead()
      if place == nil, head.parts.id == id { return }
    }
  }
}
