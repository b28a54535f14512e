extension MirroredBus {
  /// Becomes a member of the durable subscription `name`, and makes it if there is none: see
  /// ``DurableSubscription``.
  ///
  /// Messages have to have a place in the log: what a plain ``FileBus`` publishes is passed over,
  /// and so are the name's own dead letters.
  ///
  /// Blocks: it reads the journal, and waits for a mirror that has not begun yet.
  /// - Throws: `incompatible` when the name stands for another prefix, or something else is where
  ///   its files should be; `corrupt` when its journal is damaged; `notFound` when nobody mirrors
  ///   the bus, its segment was replaced, or the message to begin behind is not there;
  ///   `unsupported` when that has no place; `busy`, `exhausted`, `permissionDenied`, `noSpace`,
  ///   `closed`, `forked`, `system`.
  public func subscribe(
    durable name: DurableName, to prefix: TopicPrefix, options: DurableOptions = DurableOptions()
  ) throws(BusError) -> DurableSubscription {
    // Before anything is made of it.
    try shared.permit.checkSubscribe(prefix)
    // Or what nobody acknowledges would stay for ever.
    try shared.permit.checkPublish(name.deadLetters)
    let group = try DurableGroup(
      name, in: try directory.open(), patience: options.lockPatience)
    var found: DurableLog?
    let beginning = MirroredReading.DurableBeginning(deadLetters: name.deadLetters) {
      (log) throws(BusError) in
      found = log
      let segment = LogHistory.Segment(generation: log.generation, base: log.base)
      let joined = try group.join(prefix, segment) { () throws(BusError) in
        try log.first(options.start, prefix)
      }
      if joined.lost > 0 {
        options.onWarning?(
          .durableLoss(
            name: name.text, count: joined.lost,
            reason: "the end of the log is gone, as after a power cut"))
      }
      return joined.next
    }
    let reading = try subscribe(
      to: prefix, options: SubscriptionOptions(onWarning: options.onWarning), durable: beginning)
    guard let found else { throw .busClosed }
    return DurableSubscription(
      name, reading, DurableMember(self, group, found, reading, options: options))
  }

  /// As ``subscribe(durable:to:options:)``, with name and prefix as they are written.
  public func subscribe(
    durable name: String, to prefix: String = "", options: DurableOptions = DurableOptions()
  ) throws(BusError) -> DurableSubscription {
    try subscribe(durable: DurableName(name), to: TopicPrefix(prefix), options: options)
  }
}
