import ConclaveBus

/// Two looks at a bus, or one, as text or JSON.
struct StatusReport {
  let location: BusLocation
  let now: BusSnapshot
  /// The first look, `seconds` before, for the rates.
  let before: BusSnapshot?
  let seconds: Double

  func policy(_ subscriber: SharedMemoryStatus.Subscriber) -> String {
    subscriber.hasBackPressure ? "back-pressure" : "dropping"
  }

  // MARK: Rates; nil when they were not measured or what was counted is not the same thing any more

  func recordsPerSecond(_ segment: SharedMemoryStatus) -> Double? {
    guard let old = before?.sharedMemory, old.generation == segment.generation else { return nil }
    return rate(from: old.position, to: segment.position)
  }

  func messagesPerSecond(_ lane: SharedMemoryStatus.Lane) -> Double? {
    let old = before?.sharedMemory?.lanes.first {
      $0.index == lane.index && $0.process == lane.process && $0.incarnation == lane.incarnation
    }
    return old.flatMap { rate(from: $0.messages, to: lane.messages) }
  }

  func bytesPerSecond(_ file: TopicFileStatus) -> Double? {
    let old = before?.files.first { $0.topic == file.topic }
    return old.flatMap { rate(from: $0.bytes, to: file.bytes) }
  }

  func rate(from old: UInt64, to new: UInt64) -> Double? {
    new >= old && seconds > 0 ? Double(new - old) / seconds : nil
  }
}
