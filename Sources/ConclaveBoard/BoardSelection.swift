public import ConclaveBus

/// What of a board a task is shown at the beginning of an iteration.
///
/// - Left out: the task's own notes, what it was shown before, what has expired, what its sender
///   has replaced, and what is for another task.
/// - Notes that say the same are one (``BoardText/normalised(_:)``), with all who said so.
/// - Of warnings all are taken, of all others the newest ``BoardLimits/count``.
/// - Of these, warnings first and each the newest first, as many as ``BoardLimits/tokens`` allows;
///   what it does not allow is counted, and named in the text.
///
/// "Newest" goes by the order on the board, not by time stamps, which are claims.
public struct BoardSelection: Hashable, Sendable {
  public struct Note: Hashable, Sendable {
    public let item: BoardItem
    /// Who else said so, each once.
    public let alsoSaidBy: [String]
    /// The messages that it stands for.
    public let ids: [MessageID]
  }

  /// The warnings, newest first, then the others, newest first.
  public private(set) var notes: [Note] = []
  public private(set) var omissions = BoardOmissions()
  public let limits: BoardLimits
  public let now: Timestamp

  /// What counts as seen from now on, besides what did before.
  public var ids: [MessageID] { notes.flatMap(\.ids) }

  /// O(n log n).
  ///
  /// - Parameters:
  ///   - items: the whole board in its order, oldest first.
  ///   - task: whose own notes are left out; nil for nobody's.
  ///   - seen: the messages that the task was shown before: ``ids`` of earlier selections.
  ///   - lost: how many messages are known to be missing from `items`.
  public init(
    of items: [BoardItem], for task: String? = nil, seen: Set<MessageID> = [],
    limits: BoardLimits = BoardLimits(), now: Timestamp = .now(), lost: UInt64 = 0
  ) {
    self.limits = limits
    self.now = now
    omissions.lost = lost
    let groups = BoardMerge.groups(of: current(items, task))
    let fresh = groups.filter { !isKnown($0, seen) }
    let notes = fresh.reversed().map { group in
      Note(item: group.item, alsoSaidBy: group.alsoSaidBy, ids: group.items.map(\.id))
    }
    let warnings = notes.filter { $0.item.kind == .warning }
    let others = notes.filter { $0.item.kind != .warning }
    let taken = Array(others.prefix(max(0, limits.count)))
    omissions.beyondCount = others.count - taken.count
    fill(warnings, taken)
    omissions.repeated = self.notes.reduce(0) { $0 + $1.ids.count - 1 }
  }

  /// Without the task's own notes and what does not count, or not for it.
  private mutating func current(_ items: [BoardItem], _ task: String?) -> [BoardItem] {
    let last = BoardSelection.lastPlaces(items)
    var result: [BoardItem] = []
    for (place, item) in items.enumerated() {
      if item.sender == task {
        omissions.own += 1
      } else if let task, let recipient = item.scope.recipient, recipient != task {
        omissions.forOthers += 1
      } else if let subject = Subject(item), last[subject] != place {
        omissions.replaced += 1
      } else if item.hasExpired(at: now) {
        omissions.expired += 1
      } else {
        result.append(item)
      }
    }
    return result
  }

  /// What a sender has one note about, for one recipient.
  private struct Subject: Hashable {
    let sender: String
    let about: String
    let recipient: String?

    init?(_ item: BoardItem) {
      guard let about = item.scope.about else { return nil }
      self.about = about
      sender = item.sender
      recipient = item.scope.recipient
    }
  }

  private static func lastPlaces(_ items: [BoardItem]) -> [Subject: Int] {
    var places: [Subject: Int] = [:]
    for (place, item) in items.enumerated() {
      if let subject = Subject(item) { places[subject] = place }
    }
    return places
  }

  /// Whether the task was shown as much: a warning is news for who was told a discovery.
  private mutating func isKnown(_ group: BoardMerge.Group, _ seen: Set<MessageID>) -> Bool {
    let isKnown = group.items.contains { item in
      seen.contains(item.id) && (item.kind == .warning || group.item.kind != .warning)
    }
    if isKnown { omissions.seen += group.items.count }
    return isKnown
  }

  /// Takes notes while there is room: behind the first that does not fit no older one of its sort
  /// is taken, so that what is missing is always the oldest.
  private mutating func fill(_ warnings: [Note], _ others: [Note]) {
    var room = max(limits.tokens, BoardLimits.leastTokens) - BoardRendering.frameTokens
    func fits(_ note: Note) -> Bool {
      let line = BoardRendering.line(of: note, textLength: limits.textLength, now: now)
      room -= BoardLimits.tokens(in: line) + 1
      return room >= 0
    }
    let shownWarnings = warnings.prefix(while: fits)
    omissions.warningsBeyondTokens = warnings.count - shownWarnings.count
    let shownOthers = room >= 0 ? others.prefix(while: fits) : []
    omissions.othersBeyondTokens = others.count - shownOthers.count
    notes = shownWarnings + shownOthers
  }
}
