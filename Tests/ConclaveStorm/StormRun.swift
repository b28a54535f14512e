import ConclaveBus

/// Messages that a subscriber received in a row, summed up: their number and the sum of their
/// places, by which the judge sees whether they are all that lie between the first and the last.
struct StormRun {
  private(set) var count = 0
  private var first: UInt64 = 0
  private var last: UInt64 = 0
  private var sum: UInt64 = 0
  private var lastID: MessageID?

  mutating func add(_ envelope: Envelope) {
    let position = envelope.position ?? 0
    if count == 0 { first = position }
    count += 1
    last = position
    sum &+= position
    lastID = envelope.id
  }

  /// The record of it, and a new run; nil when there was nothing.
  mutating func record(_ life: String) -> String? {
    guard let lastID else { return nil }
    defer { self = StormRun() }
    return "run \(life) \(lastID) \(count) \(first) \(last) \(sum)"
  }

  /// Where the next life begins: mostly behind what the last one noted, at times anew.
  static func start(after records: [Substring], _ draw: UInt64) -> SubscriptionOptions.Start {
    let runs = records.filter { $0.hasPrefix("run ") }
    guard let words = runs.last?.split(separator: " "), words.count == 7 else {
      return .beginning
    }
    switch draw % 8 {
    case 0: return .now
    case 1: return .beginning
    default: return MessageID(words[2]).map { .after($0) } ?? .beginning
    }
  }

  static func text(_ start: SubscriptionOptions.Start) -> String {
    if case .after(let id) = start { "after \(id)" } else { "\(start)" }
  }
}
