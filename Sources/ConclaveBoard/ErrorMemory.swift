public import ConclaveBus

/// What a board remembers of errors: the note of a task that got rid of some, in a form by which
/// another one that has the same is told of it, in whatever wave.
///
/// The note is a discovery whose text has `[error 0123456789abcdef]` for each error, whose
/// fingerprint stands in it.
public enum ErrorMemory {
  /// How many notes on one error are shown, and carried from wave to wave: the newest.
  public static let notesPerError = 3
  /// How many errors one note can be about.
  public static let errorsPerNote = 5
  private static let longestText = 1000
  private static let opening = "[error "

  /// - Parameters:
  ///   - fingerprints: of the errors, oldest first; the last ``errorsPerNote`` count. 16 digits of
  ///     base 16 in small letters.
  ///   - digest: what the errors were, and what was changed.
  /// - Throws: what ``BoardNote`` throws, which cannot happen with such fingerprints.
  public static func note(_ fingerprints: [String], _ digest: String) throws(BusError) -> BoardNote
  {
    let tags = fingerprints.suffix(errorsPerNote).map { "\(opening)\($0)]" }
    let text = String("\(tags.joined(separator: " ")) \(digest)".prefix(longestText))
    return try BoardNote(.discovery, BoardText.cut(text, toBytes: BoardNote.maximumTextLength))
  }

  /// The notes on the error with this fingerprint that others than `task` have left: the newest
  /// ``notesPerError``, oldest first. O(n).
  ///
  /// - Parameter items: a board in its order, oldest first.
  public static func notes(
    on fingerprint: String, in items: [BoardItem], for task: String
  ) -> [BoardItem] {
    items.filter { $0.sender != task && fingerprints(in: $0).contains(fingerprint) }
      .suffix(notesPerError)
  }

  /// The items that hold one of the newest ``notesPerError`` notes on some error. O(n).
  static func worthKeeping(_ items: [BoardItem]) -> Set<MessageID> {
    var counts: [String: Int] = [:]
    var kept: Set<MessageID> = []
    for item in items.reversed() {
      for fingerprint in fingerprints(in: item) {
        counts[fingerprint, default: 0] += 1
        if counts[fingerprint, default: 0] <= notesPerError { kept.insert(item.id) }
      }
    }
    return kept
  }

  /// The errors that an item is about; none when it is no such note.
  static func fingerprints(in item: BoardItem) -> [String] {
    guard item.kind == .discovery, item.text.hasPrefix(opening) else { return [] }
    var result: [String] = []
    var rest = item.text[...]
    while result.count < errorsPerNote, rest.hasPrefix(opening) {
      let word = rest.dropFirst(opening.count).prefix(16)
      guard word.utf8.count == 16, word.utf8.allSatisfy(isDigit) else { break }
      let behind = rest[word.endIndex...]
      guard behind.hasPrefix("] ") else { break }
      result.append(String(word))
      rest = behind.dropFirst(2)
    }
    return result
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
