/// What an error is, without what differs each time that it happens: times, durations, addresses,
/// process ids, temporary paths, colours, and the order of lines.
enum ErrorFingerprint {
  /// 16 hexadecimal digits. O(text), of which only the last 2,000 lines count.
  static func of(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline).suffix(2000)
      .map { normalised(plain($0)) }.filter { !$0.isEmpty }
    let telling = lines.filter(tellsOfFailure)
    // Sorted: tests that run at once report in any order.
    let chosen = Set(telling.isEmpty ? Array(lines.suffix(200)) : telling).sorted()
    // FNV-1a, 64 bits: nobody attacks it.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for line in chosen {
      for byte in line.utf8 + [0x0A] {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static let signs = [
    "error", "fail", "panic", "assert", "exception", "fatal", "not ok", "undefined", "cannot",
    "expected", "segmentation", "abort", "traceback", "✗", "✘",
  ]

  private static func tellsOfFailure(_ line: String) -> Bool {
    let line = line.lowercased()
    return signs.contains { line.contains($0) }
  }

  /// The first line that tells of a failure, short enough for a table.
  static func headline(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline).map(plain).filter { !$0.trimmed.isEmpty }
    let line = lines.first(where: tellsOfFailure) ?? lines.last ?? ""
    return String(line.trimmed.prefix(160))
  }

  /// Without control characters and terminal sequences.
  static func plain(_ line: Substring) -> String {
    var result = String.UnicodeScalarView()
    var rest = line.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == "\u{1B}" {
        skipSequence(&rest)
      } else if scalar == "\t" {
        result.append(" ")
      } else if scalar.value >= 0x20, scalar.value != 0x7F, !(0x80..<0xA0).contains(scalar.value) {
        result.append(scalar)
      }
    }
    return String(result)
  }

  private static func skipSequence(_ rest: inout Substring.UnicodeScalarView) {
    guard let kind = rest.popFirst() else { return }
    if kind == "[" {
      // CSI: parameters, then one letter.
      while let next = rest.popFirst() { if (0x40...0x7E).contains(next.value) { return } }
    } else if kind == "]" {
      // OSC: up to BEL or ESC \.
      while let next = rest.popFirst() {
        if next == "\u{7}" { return }
        if next == "\u{1B}" {
          _ = rest.popFirst()
          return
        }
      }
    }
  }

  /// `line` with every word that changes from run to run replaced by what kind of thing it is.
  static func normalised(_ line: String) -> String {
    var words: [String] = []
    for word in line.split(whereSeparator: \.isWhitespace) {
      let previous = words.last ?? ""
      if VolatileWord.isUnit(word), previous.hasSuffix("#") {
        words[words.count - 1] = "<duration>"
      } else {
        words.append(VolatileWord.replaced(word, after: previous))
      }
    }
    // A number that was no duration after all.
    return words.map { $0.hasSuffix("#") ? String($0.dropLast()) : $0 }.joined(separator: " ")
  }
}
