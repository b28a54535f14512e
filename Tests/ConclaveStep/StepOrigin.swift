import StepTracer

/// Where the ring and its lanes begin: shortly before a number wraps.
enum StepOrigin {
  /// Heeds what says it.
  ///
  /// - Returns: the other words; nil when it makes no sense.
  static func take(from words: [String]) -> [String]? {
    guard let place = words.firstIndex(of: "--from") else { return words }
    guard place + 1 < words.count, let width = UInt32(words[place + 1]),
      step_begin_before(width) == 0
    else { return nil }
    return Array(words[..<place] + words[(place + 2)...])
  }
}
