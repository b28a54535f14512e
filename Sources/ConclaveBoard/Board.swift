public import ConclaveBus

/// A bulletin board: one topic of a bus on which tasks tell each other what they found out, what
/// went wrong, and what they are about to change.
///
/// Posting is publishing; any transport will do. Safe from any thread.
public struct Board: Sendable {
  /// The topic of a board that is not a wave's.
  public static let usualTopic = "board"

  public let bus: any MessageBus
  public let topic: Topic

  public init(on bus: any MessageBus, topic: Topic) {
    self.bus = bus
    self.topic = topic
  }

  /// The board of a wave: `parallel.wave-N.board`.
  ///
  /// - Throws: `invalidTopic` for a negative number.
  public static func topic(ofWave number: Int) throws(BusError) -> Topic {
    guard number >= 0 else {
      throw BusError(.invalidTopic, "there is no wave \(number)", hint: "count waves from 0")
    }
    return try Topic("parallel.wave-\(number).board")
  }

  /// Posts `notes` in order and next to each other. May block as `MessageBus.publish(_:to:wait:)`
  /// does.
  ///
  /// - Throws: what publishing throws, `invalidName` for `sender` among it.
  public func post(_ notes: [BoardNote], from sender: String) throws(PublishFailure) {
    guard !notes.isEmpty else { return }
    _ = try bus.publish(messages(notes, sender), to: topic, wait: .blocking)
  }

  /// The same without ever blocking the calling thread.
  public func post(_ notes: [BoardNote], from sender: String) async throws(PublishFailure) {
    guard !notes.isEmpty else { return }
    try await bus.publish(messages(notes, sender), to: topic)
  }

  /// Begins to read the board.
  ///
  /// - Parameter start: by default everything that the transport still holds.
  /// - Throws: what subscribing throws.
  public func reader(
    from start: SubscriptionOptions.Start = .beginning,
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) throws(BusError) -> BoardReader {
    let options = SubscriptionOptions(
      start: start, capacity: BoardReader.capacity, onWarning: onWarning)
    return BoardReader(
      topic: topic, try bus.subscribe(to: TopicPrefix(topic.name), options: options))
  }

  private func messages(
    _ notes: [BoardNote], _ sender: String
  ) throws(PublishFailure) -> [Message] {
    do throws(BusError) {
      return try notes.map { (note) throws(BusError) in try note.message(from: sender) }
    } catch { throw PublishFailure(error) }
  }
}
