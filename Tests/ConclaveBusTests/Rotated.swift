import ConclaveBus
import SharedRing

/// What tests of rotation and retention have in common.
extension Scratch {
  /// Where the rotated file of `topic` with `number` is.
  func file(_ topic: String, _ number: Int) -> String {
    let text = String(number)
    return "\(file(topic)).\(String(repeating: "0", count: max(0, 6 - text.count)))\(text)"
  }

  /// The numbers of the rotated files that there are, up to `greatest`.
  func numbers(_ topic: String = "t", through greatest: Int = 1000) -> [Int] {
    (1...greatest).filter { Disk.size(file(topic, $0)) >= 0 }
  }

  /// The payloads in all files of `topic`, in their order.
  func payloads(_ topic: String = "t") throws -> [String] {
    try envelopes(topic).map(\.payload.description)
  }

  func envelopes(_ topic: String = "t", through greatest: Int = 1000) throws -> [Envelope] {
    try (numbers(topic, through: greatest).map { file(topic, $0) } + [file(topic)]).flatMap(
      Disk.envelopes)
  }
}

/// Collects warnings.
final class WarningList: Sendable {
  private let all = Lock<[BusWarning]>([])
  var list: [BusWarning] { all.withLock { $0 } }

  func add(_ warning: BusWarning) { all.withLock { $0.append(warning) } }

  func options(_ start: SubscriptionOptions.Start) -> SubscriptionOptions {
    SubscriptionOptions(start: start) { self.add($0) }
  }
}
