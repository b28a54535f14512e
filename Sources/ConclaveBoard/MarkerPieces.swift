/// What a text consists of, as far as marks are concerned.
enum MarkerPiece: Hashable {
  /// A beginning of a kind that tasks may post, and all up to its end.
  case note(BoardKind, String)
  case unclosed
  case unopened
  /// As ``note(_:_:)``, of another kind.
  case unknown
  case quoted
}

extension BoardMarkers {
  private static let opening = Array("<!-- BUS:".utf8)
  private static let openingEnd = Array(" -->".utf8)
  private static let closing = Array("<!-- /BUS -->".utf8)
  /// A word between `BUS:` and the end of a beginning is no longer than this.
  private static let longestWord = 32

  /// One pass over the bytes; what lies between marks and belongs to no note is left out. O(n).
  static func pieces(of text: String, honoursQuotes: Bool) -> [MarkerPiece] {
    let bytes = Array(text.utf8)
    let quoted = honoursQuotes ? QuotedLines.ranges(in: bytes) : []
    var pieces: [MarkerPiece] = []
    /// The note that has begun: nil is a kind that does not count.
    var open: (kind: BoardKind?, start: Int)?
    var nextQuoted = 0
    var index = 0
    while let start = bytes[index...].firstIndex(of: UInt8(ascii: "<")) {
      guard let (mark, end) = mark(at: start, in: bytes) else {
        index = start + 1
        continue
      }
      index = end
      while nextQuoted < quoted.count, quoted[nextQuoted].upperBound <= start { nextQuoted += 1 }
      let isInQuotedLine = nextQuoted < quoted.count && quoted[nextQuoted].contains(start)
      let isBehindBacktick = start > 0 && bytes[start - 1] == UInt8(ascii: "`")
      if honoursQuotes, isInQuotedLine || isBehindBacktick {
        pieces.append(.quoted)
        continue
      }
      switch (mark, open) {
      case (.opening(let kind), let before):
        if before != nil { pieces.append(.unclosed) }
        open = (kind, end)
      case (.closing, nil): pieces.append(.unopened)
      case (.closing, let before?):
        let text = String(decoding: bytes[before.start..<start], as: UTF8.self)
        pieces.append(before.kind.map { .note($0, text) } ?? .unknown)
        open = nil
      }
    }
    if open != nil { pieces.append(.unclosed) }
    return pieces
  }

  private enum Mark {
    /// nil: a kind that tasks do not post.
    case opening(BoardKind?)
    case closing
  }

  /// The mark that begins at `start`, and where it ends.
  private static func mark(at start: Int, in bytes: [UInt8]) -> (Mark, end: Int)? {
    let rest = bytes[start...]
    if rest.starts(with: closing) { return (.closing, start + closing.count) }
    guard rest.starts(with: opening) else { return nil }
    let word = rest.dropFirst(opening.count).prefix(longestWord + 1).prefix {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
    }
    guard !word.isEmpty, word.count <= longestWord,
      bytes[word.endIndex...].starts(with: openingEnd)
    else { return nil }
    let kind = BoardKind(rawValue: String(decoding: word, as: UTF8.self))
    return (
      .opening(kind.flatMap { BoardKind.ofMarkers.contains($0) ? $0 : nil }),
      word.endIndex + openingEnd.count
    )
  }
}
