import ConclaveBus

/// What a worker tells its coordinator: one line each.
enum WorkerReport: Equatable {
  /// It has opened the bus; a subscriber has subscribed.
  case ready
  /// So many messages are accounted for by now.
  case progress(UInt64)
  case published(PublisherResult)
  case received(SubscriberResult)
  case mirrored(MirrorResult)
  case failed(BusError)
}

/// What came of the mirror.
struct MirrorResult: Equatable {
  /// How many records it was behind when the last publisher was done.
  var lag: UInt64
  /// When the last record was in the files (CLOCK_MONOTONIC in nanoseconds).
  var finished: UInt64
}

/// What came of a publisher.
struct PublisherResult: Equatable {
  var published: UInt64
  /// The longest time without progress while there were messages to send.
  var longestStallNanoseconds: UInt64
  /// When its last message was published (CLOCK_MONOTONIC in nanoseconds).
  var finished: UInt64
  /// How often it had to wait for a subscriber, where the transport counts that.
  var backPressureWaits: UInt64?
}

/// What came of a subscriber.
struct SubscriberResult: Equatable {
  var delivered: UInt64 = 0
  var gapsReported: UInt64 = 0
  var gapMismatches: UInt64 = 0
  var duplicates: UInt64 = 0
  var outOfOrder: UInt64 = 0
  var corrupt: UInt64 = 0
  /// When it had handled the last delivery (CLOCK_MONOTONIC in nanoseconds).
  var finished: UInt64 = 0
  var latency: LatencyHistogram?
}

extension WorkerReport {
  var line: String {
    switch self {
    case .ready: "ready"
    case .progress(let count): "at \(count)"
    case .published(let result):
      "published \(result.published) \(result.longestStallNanoseconds) \(result.finished)"
        + (result.backPressureWaits.map { " \($0)" } ?? "")
    case .received(let result):
      "received \(result.delivered) \(result.gapsReported) \(result.gapMismatches) "
        + "\(result.duplicates) \(result.outOfOrder) \(result.corrupt) \(result.finished)"
        + (result.latency.map { " \($0.text)" } ?? "")
    case .mirrored(let result): "mirrored \(result.lag) \(result.finished)"
    case .failed(let error):
      "failed \(error.code.rawValue)\t\(oneLine(error.message))\t\(oneLine(error.hint))"
    }
  }

  /// What ``line`` says, or nil.
  init?(line: String) {
    let (word, rest) = line.cut(at: " ")
    switch word {
    case "ready": self = .ready
    case "failed": self = .failed(BusError(reported: rest))
    case "at":
      guard let count = UInt64(rest) else { return nil }
      self = .progress(count)
    case "published":
      let numbers = rest.split(separator: " ").compactMap { UInt64($0) }
      guard (3...4).contains(numbers.count) else { return nil }
      self = .published(
        PublisherResult(
          published: numbers[0], longestStallNanoseconds: numbers[1], finished: numbers[2],
          backPressureWaits: numbers.count == 4 ? numbers[3] : nil))
    case "mirrored":
      let numbers = rest.split(separator: " ").compactMap { UInt64($0) }
      guard numbers.count == 2 else { return nil }
      self = .mirrored(MirrorResult(lag: numbers[0], finished: numbers[1]))
    case "received":
      guard let result = SubscriberResult(reported: rest) else { return nil }
      self = .received(result)
    default: return nil
    }
  }
}

extension SubscriberResult {
  fileprivate init?(reported text: Substring) {
    let words = text.split(separator: " ")
    let numbers = words.prefix(7).compactMap { UInt64($0) }
    guard numbers.count == 7, words.count <= 8 else { return nil }
    self.init(
      delivered: numbers[0], gapsReported: numbers[1], gapMismatches: numbers[2],
      duplicates: numbers[3], outOfOrder: numbers[4], corrupt: numbers[5], finished: numbers[6])
    guard words.count == 8 else { return }
    guard let latency = LatencyHistogram(text: words[7]) else { return nil }
    self.latency = latency
  }
}

extension BusError {
  fileprivate init(reported text: Substring) {
    let (code, rest) = text.cut(at: "\t")
    let (message, hint) = rest.cut(at: "\t")
    self.init(Code(rawValue: String(code)) ?? .system, String(message), hint: String(hint))
  }
}

extension StringProtocol where SubSequence == Substring {
  /// What is before and behind the first `separator`; all and nothing without one.
  fileprivate func cut(at separator: Character) -> (Substring, Substring) {
    guard let index = firstIndex(of: separator) else { return (self[...], "") }
    return (self[..<index], self[self.index(after: index)...])
  }
}

private func oneLine(_ text: String) -> String {
  String(text.map { $0 == "\n" || $0 == "\t" ? " " : $0 })
}
