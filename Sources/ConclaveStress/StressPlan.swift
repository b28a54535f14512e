/// What a stress run does.
package struct StressPlan: Equatable, Sendable {
  package enum Transport: String, CaseIterable, Sendable {
    case shm, file, channel
  }

  package enum Policy: String, CaseIterable, Sendable {
    case backPressure = "back-pressure"
    case dropping
  }

  /// Whether the ring is mirrored into the topic files, and what publishers wait for.
  package enum Mirror: String, CaseIterable, Sendable {
    /// No mirror.
    case none
    /// Publishers wait for nothing; at the end everything must be in the files.
    case mirrored
    /// Each publish waits until it is on the disk.
    case synced
  }

  package static let publisherLimit = 120
  package static let subscriberLimit = 60
  package static let batchLimit = 65_536
  /// What every transport accepts by default, envelope included.
  package static let payloadLimit = 16 << 20 - 4096

  package var transport = Transport.shm
  package var publishers = 50
  package var subscribers = 4
  /// The total over all publishers.
  package var messages = 1_000_000
  package var payloadBytes = 256
  /// Messages a second over all publishers; nil: as fast as they can.
  package var rate: Int?
  package var policy = Policy.backPressure
  /// Messages per publish.
  package var batch = 1
  /// Only with shared memory.
  package var mirror = Mirror.none

  package init() {}

  /// How many messages each publisher sends.
  package var shares: [UInt64] {
    let (share, rest) = messages.quotientAndRemainder(dividingBy: publishers)
    return (0..<publishers).map { UInt64(share + ($0 < rest ? 1 : 0)) }
  }

  /// - Throws: when the numbers make no sense.
  package func check() throws(StressPlanError) {
    try check("publishers", publishers, 1...StressPlan.publisherLimit)
    try check("subscribers", subscribers, 0...StressPlan.subscriberLimit)
    try check("messages", messages, publishers...Int(UInt32.max))
    try check("payload", payloadBytes, PayloadWriter.minimumLength...StressPlan.payloadLimit)
    try check("batch", batch, 1...StressPlan.batchLimit)
    if let rate { try check("rate", rate, 1...1_000_000_000) }
  }

  private func check(
    _ option: String, _ value: Int, _ range: ClosedRange<Int>
  ) throws(StressPlanError) {
    guard !range.contains(value) else { return }
    throw StressPlanError(option: option, value: value, range: range)
  }
}

/// A number of a plan that is out of range.
package struct StressPlanError: Error, Equatable {
  package let option: String
  package let value: Int
  package let range: ClosedRange<Int>
}
