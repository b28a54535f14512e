/// What a note on the board is.
public enum BoardKind: String, Hashable, Sendable, CaseIterable {
  /// A fact that helps other tasks.
  case discovery
  /// A pitfall.
  case warning
  /// What somebody is about to change: a hint, not a lock.
  case intent
  /// Said by who runs the tasks, or carried over from the wave before.
  case context

  /// What every message of a board begins its type with.
  static let typePrefix = "board."

  /// The type of its messages, for instance `board.discovery`.
  public var type: String { BoardKind.typePrefix + rawValue }

  public init?(type: String) {
    guard type.hasPrefix(BoardKind.typePrefix) else { return nil }
    self.init(rawValue: String(type.dropFirst(BoardKind.typePrefix.count)))
  }

  /// The kinds that a task may post by a marker in its output.
  public static let ofMarkers: [BoardKind] = [.discovery, .warning, .intent]
}
