/// What one wave of tasks leaves to the next: the newest discoveries, all warnings, and what got
/// rid of errors (``ErrorMemory``), each once, as `board.context` with its ``BoardOrigin``.
///
/// What was carried into a wave counts like what was said in it, and is carried on with the origin
/// that it has: nothing is wrapped twice, and each board has it once. Carried discoveries count
/// among the newest as well, so a board does not grow with the number of waves, but for warnings
/// and for different errors. Intents end with their wave, and so does everything else that has
/// an end or is for one task, and notes of the kind `context` that nobody carried.
public enum BoardHandOver {
  /// How many discoveries are carried.
  public static let discoveryCount = 10

  /// The notes for the next board, oldest first. O(n log n).
  ///
  /// - Parameters:
  ///   - items: the whole board of the wave that is over, in its order, oldest first.
  ///   - next: what is on the next board already; so that doing it again adds nothing.
  ///   - discoveries: how many discoveries at most; neither warnings nor what got rid of an error
  ///     count.
  public static func notes(
    from items: [BoardItem], besides next: [BoardItem] = [],
    discoveries: Int = BoardHandOver.discoveryCount
  ) -> [BoardNote] {
    let groups = BoardMerge.groups(of: items.filter(outlivesItsWave))
    let memory = ErrorMemory.worthKeeping(groups.map(\.item))
    let newest = groups.filter { $0.item.kind == .discovery && !memory.contains($0.item.id) }
      .suffix(max(0, discoveries))
    let places = Set(newest.map(\.place))
    let ids = Set(next.map(\.id))
    let texts = Set(next.map { BoardText.normalised($0.text) })
    return groups.map(\.item).enumerated().compactMap { index, item in
      guard
        item.kind == .warning || places.contains(groups[index].place) || memory.contains(item.id),
        !ids.contains(item.id), !texts.contains(BoardText.normalised(item.text)),
        let origin = BoardOrigin(
          id: item.id, sender: item.sender, time: item.time, kind: item.kind)
      else { return nil }
      return BoardNote(carrying: item, from: origin)
    }
  }

  private static func outlivesItsWave(_ item: BoardItem) -> Bool {
    BoardOrigin.kinds.contains(item.kind) && item.scope == BoardScope()
  }
}
