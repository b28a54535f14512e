/// The notes that an agent put into its final text:
/// `<!-- BUS:discovery -->...<!-- /BUS -->`, and likewise `warning` and `intent`.
///
/// Exact strings, no guessing:
/// - A text may go over several lines. It ends at the next `<!-- /BUS -->`.
/// - A beginning inside another note ends that one as unclosed: of nested notes the inner one
///   counts, and a forgotten end swallows nothing. No text holds a mark that is not quoted.
/// - Quoted marks are none: in code fences (as Markdown has them: ``` or ~~~), on lines that begin
///   with `>`, and right behind a backtick.
/// - What has no text, or repeats an earlier one by its normalised text, does not count, nor what
///   stands in the prompt, which agents like to repeat.
/// - A text that is too long is cut; of too many notes the first count.
public struct BoardMarkers: Hashable, Sendable {
  /// The greatest length of a text in bytes; ``cutMark`` comes on top.
  public static let maximumTextLength = 2048
  /// How many notes of one text count.
  public static let maximumCount = 10
  /// What stands at the end of a text that was cut.
  public static let cutMark = " [cut]"

  public struct Marker: Hashable, Sendable {
    public let kind: BoardKind
    /// Without the white space around it; may have several lines.
    public let text: String

    public init(kind: BoardKind, text: String) {
      self.kind = kind
      self.text = text
    }
  }

  /// In the order of the text.
  public private(set) var markers: [Marker] = []
  /// Beginnings without an end, also those that the next beginning overtook.
  public private(set) var unclosed = 0
  /// Ends without a beginning.
  public private(set) var unopened = 0
  /// Notes of a kind that agents may not post, or that there is not.
  public private(set) var unknown = 0
  public private(set) var empty = 0
  /// Marks that were quoted.
  public private(set) var quoted = 0
  /// Notes that count, cut.
  public private(set) var cut = 0
  public private(set) var repeated = 0
  /// Notes that stand in the prompt.
  public private(set) var echoed = 0
  /// Notes beyond ``maximumCount``.
  public private(set) var tooMany = 0

  /// Finds the notes of `text`. O(n).
  ///
  /// - Parameters:
  ///   - text: what the agent said at last; not what its tools said.
  ///   - prompt: what the agent was told. Notes that stand in it, quoted or not, are not the
  ///     agent's.
  public init(in text: String, prompt: String = "") {
    // Who repeats a part of it may leave out the fence around a note, or not.
    let told = Set(
      [false, true].flatMap { BoardMarkers.found(in: prompt, honoursQuotes: $0) }
        .map(Key.init))
    var known: Set<Key> = []
    for piece in BoardMarkers.pieces(of: text, honoursQuotes: true) {
      switch piece {
      case .note(let kind, let text): take(kind, text, told, &known)
      case .unclosed: unclosed += 1
      case .unopened: unopened += 1
      case .unknown: unknown += 1
      case .quoted: quoted += 1
      }
    }
  }

  private struct Key: Hashable {
    let kind: BoardKind
    let text: String

    init(_ marker: Marker) {
      kind = marker.kind
      text = BoardText.normalised(marker.text)
    }
  }

  private mutating func take(
    _ kind: BoardKind, _ text: String, _ told: Set<Key>, _ known: inout Set<Key>
  ) {
    let whole = Marker(kind: kind, text: BoardText.trimmed(text))
    guard !BoardText.line(whole.text).isEmpty else { return empty += 1 }
    let key = Key(whole)
    guard !told.contains(key) else { return echoed += 1 }
    guard known.insert(key).inserted else { return repeated += 1 }
    guard markers.count < BoardMarkers.maximumCount else { return tooMany += 1 }
    guard whole.text.utf8.count > BoardMarkers.maximumTextLength else {
      return markers.append(whole)
    }
    cut += 1
    let short = BoardText.cut(whole.text, toBytes: BoardMarkers.maximumTextLength)
    markers.append(Marker(kind: kind, text: short + BoardMarkers.cutMark))
  }

  private static func found(in text: String, honoursQuotes: Bool) -> [Marker] {
    pieces(of: text, honoursQuotes: honoursQuotes).compactMap { piece in
      guard case .note(let kind, let text) = piece else { return nil }
      return Marker(kind: kind, text: BoardText.trimmed(text))
    }
  }
}
