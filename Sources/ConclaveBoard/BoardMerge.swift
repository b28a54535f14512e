/// Notes that say the same, seen as one.
struct BoardMerge {
  struct Group {
    /// The one to show: a warning before all others, what is certain before what is provisional,
    /// and then the newest.
    var item: BoardItem
    /// The others' senders, each once, in the order of the board.
    var alsoSaidBy: [String] = []
    /// The place of the newest on the board.
    var place: Int
    var items: [BoardItem]
  }

  /// Two texts are the same when they are normalised. Intents of different senders stay apart: that
  /// two want to change the same is just what is to be known. So do notes for different tasks.
  private struct Key: Hashable {
    let text: String
    let intentOf: String?
    let recipient: String?

    init(_ item: BoardItem) {
      text = BoardText.normalised(item.text)
      intentOf = item.kind == .intent ? item.sender : nil
      recipient = item.scope.recipient
    }
  }

  /// In the order of each one's newest, oldest first. O(n log n).
  ///
  /// - Parameter items: in the order of the board, oldest first.
  static func groups(of items: [BoardItem]) -> [Group] {
    var groups: [Group] = []
    var places: [Key: Int] = [:]
    for (place, item) in items.enumerated() {
      let key = Key(item)
      if let index = places[key] {
        groups[index].add(item, at: place)
      } else {
        places[key] = groups.count
        groups.append(Group(item: item, place: place, items: [item]))
      }
    }
    for index in groups.indices { groups[index].nameOthers() }
    return groups.sorted { $0.place < $1.place }
  }
}

extension BoardMerge.Group {
  fileprivate mutating func add(_ other: BoardItem, at place: Int) {
    items.append(other)
    self.place = place
    // Equals are replaced: the later is the newer.
    if other.weight >= item.weight { item = other }
  }

  fileprivate mutating func nameOthers() {
    var named: Set<String> = [item.sender]
    alsoSaidBy = items.map(\.sender).filter { named.insert($0).inserted }
  }
}

extension BoardItem {
  /// How much it counts among notes that say the same.
  fileprivate var weight: Int { (kind == .warning ? 2 : 0) + (isProvisional ? 0 : 1) }
}
