import Glibc

/// What the policy of a bus means for this process. Without a policy everything is allowed, and
/// asking costs one comparison.
struct BusPermit: Sendable {
  private let policy: BusPolicy?
  private let participant: Participant

  /// Reads the policy, and who this process is, once.
  ///
  /// - Throws: as ``BusPolicy/read(of:)``.
  init(_ directory: BusDirectory) throws(BusError) {
    self.init(try BusPolicy.read(of: directory), .current(owner: directory.owner))
  }

  init(_ policy: BusPolicy?, _ participant: Participant) {
    self.policy = policy
    self.participant = participant
  }

  /// Who asks.
  struct Participant: Sendable {
    var user: uid_t
    var groups: Set<gid_t>
    var isOwner: Bool

    static func current(owner: UInt32) -> Participant {
      Participant(
        user: geteuid(), groups: Set(Accounts.groupsOfProcess + [getegid()]),
        isOwner: geteuid() == owner)
    }

    func isAmong(_ list: [BusPolicy.Who]) -> Bool {
      list.contains { who in
        switch who {
        case .anyone: true
        case .owner: isOwner
        case .user(let name): Accounts.user(name) == user
        case .group(let name): Accounts.group(name).map(groups.contains) ?? false
        }
      }
    }
  }

  /// O(rules), and a look at the host's users for each name in the rule that holds.
  ///
  /// - Throws: `permissionDenied`.
  func checkPublish(_ topic: Topic) throws(BusError) {
    guard let policy else { return }
    guard let (prefix, list) = policy.holding(\.publish, for: topic.name) else { return }
    if participant.isAmong(list) { return }
    throw refused("publish on \(quotedForError(topic.name))", prefix, list)
  }

  /// A subscription gets all that is below its prefix, so it needs a right to all of it.
  ///
  /// - Throws: `permissionDenied`.
  func checkSubscribe(_ prefix: TopicPrefix) throws(BusError) {
    guard let policy else { return }
    let wish =
      prefix.name.isEmpty
      ? "subscribe to everything" : "subscribe to \(quotedForError(prefix.name))"
    let above = policy.holding(\.subscribe, for: prefix.name).map { [$0] } ?? []
    for (ruled, list) in above + policy.below(prefix) where !participant.isAmong(list) {
      throw refused(wish, ruled, list)
    }
  }

  private func refused(
    _ wish: String, _ prefix: TopicPrefix, _ list: [BusPolicy.Who]
  ) -> BusError {
    let name = Accounts.name(ofUser: participant.user)
    let place = prefix.name.isEmpty ? "for everything" : "for \(quotedForError(prefix.name))"
    let others = list.isEmpty ? "nobody" : list.map(\.description).joined(separator: ", ")
    return BusError(
      .permissionDenied,
      "the user \(name) may not \(wish): \(place), \(BusPolicy.fileName) allows it to \(others)",
      hint: "name another topic, or ask who owns the bus to change \(BusPolicy.fileName)")
  }
}

extension BusPolicy {
  /// The list that holds for a topic, or for a prefix as a whole, and of which prefix it is.
  fileprivate func holding(
    _ list: KeyPath<Rule, [Who]?>, for name: String
  ) -> (TopicPrefix, [Who])? {
    var best: (prefix: TopicPrefix, list: [Who])?
    for rule in rules where rule.prefix.matches(bytes: name.utf8) {
      guard let found = rule[keyPath: list] else { continue }
      if best == nil || rule.prefix.name.utf8.count > best?.prefix.name.utf8.count ?? 0 {
        best = (rule.prefix, found)
      }
    }
    return best
  }

  /// What is said of subscribing to parts of what is below `prefix`.
  fileprivate func below(_ prefix: TopicPrefix) -> [(TopicPrefix, [Who])] {
    rules.compactMap { rule in
      guard let list = rule.subscribe, rule.prefix != prefix,
        prefix.matches(bytes: rule.prefix.name.utf8)
      else { return nil }
      return (rule.prefix, list)
    }
  }
}
