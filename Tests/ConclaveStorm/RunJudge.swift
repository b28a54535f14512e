import ConclaveBus

/// Judges subscribers by the runs that they noted: each life received what lies behind the place
/// where it began, without a hole, in the order of the files.
struct RunJudge {
  private(set) var faults: [String] = []
  private(set) var messages = 0
  private(set) var lives = 0
  private let positions: [UInt64]
  private let indices: [UInt64: Int]
  /// Of all before it.
  private let sums: [UInt64]
  /// By life: the index of what must come next; nil when it may be anything.
  private var next: [Substring: Int?] = [:]
  private var starts: [Substring: String] = [:]
  private let indexOfID: [MessageID: Int]

  /// - Parameters:
  ///   - positions: of all messages in the files, in their order.
  ///   - ids: theirs.
  init(positions: [UInt64], ids: [MessageID]) {
    self.positions = positions
    indices = Dictionary(zip(positions, positions.indices)) { first, _ in first }
    indexOfID = Dictionary(zip(ids, ids.indices)) { first, _ in first }
    sums = positions.reduce(into: [0]) { $0.append($0[$0.count - 1] &+ $1) }
  }

  mutating func take(_ records: [Substring]) {
    for record in records {
      let words = record.split(separator: " ")
      switch words.first {
      case "start": start(words)
      case "run": run(words)
      default: fault("nobody wrote \"\(record)\"")
      }
    }
  }

  private mutating func start(_ words: [Substring]) {
    lives += 1
    starts[words[1]] = words[2...].joined(separator: " ")
    switch words[2] {
    case "beginning": next[words[1]] = 0
    case "after":
      guard let index = MessageID(words[3]).flatMap({ indexOfID[$0] }) else {
        return fault("life \(words[1]) began behind \(words[3]), which is not in the files")
      }
      next[words[1]] = index + 1
    default: next[words[1]] = .some(nil)
    }
  }

  private mutating func run(_ words: [Substring]) {
    let numbers = words[3...].compactMap { UInt64($0) }
    guard numbers.count == 4, let expected = next[words[1]] else {
      return fault("a life that never began: \(words)")
    }
    let (life, count) = (words[1], Int(numbers[0]))
    guard let first = indices[numbers[1]], let last = indices[numbers[2]] else {
      return fault("life \(life) received what is not in the files, at \(numbers)")
    }
    if let expected, first != expected {
      fault(
        "life \(life) (\(starts[life, default: ""])) received the message \(first) where "
          + "\(expected) should be")
    }
    if last - first + 1 != count || sums[last + 1] &- sums[first] != numbers[3] {
      fault("life \(life) received \(count) of the messages from \(first) to \(last)")
    }
    next[life] = last + 1
    messages += count
  }

  private mutating func fault(_ what: String) {
    if faults.count < 20 { faults.append("runs: \(what)") }
  }
}
