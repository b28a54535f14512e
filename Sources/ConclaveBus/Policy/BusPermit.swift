import Glibc

/// What the policy of a bus means for this process. Without a policy everything is allowed, and
/// asking costs one comparison.
struct BusPermit: Sendable {
  /// What one rule says of one of the two.
  private struct Verdict {
    var prefix: TopicPrefix
    var list: [BusPolicy.Who]
    var isAllowed: Bool
  }

  private let publishing: [Verdict]
  private let subscribing: [Verdict]
  private let user: uid_t

  /// Reads the policy, and who this process is, once.
  ///
  /// - Throws: as ``BusPolicy/read(of:)``.
  init(_ directory: BusDirectory) throws(BusError) {
    self.init(try BusPolicy.read(of: directory), .current(owner: directory.owner))
  }

  /// Looks up each name in the policy once.
  init(_ policy: BusPolicy?, _ participant: Participant) {
    func verdicts(_ keyPath: KeyPath<BusPolicy.Rule, [BusPolicy.Who]?>) -> [Verdict] {
      (policy?.rules ?? []).compactMap { rule in
        rule[keyPath: keyPath].map {
          Verdict(prefix: rule.prefix, list: $0, isAllowed: participant.isAmong($0))
        }
      }
    }
    publishing = verdicts(\.publish)
    subscribing = verdicts(\.subscribe)
    user = participant.user
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

  /// O(rules).
  ///
  /// - Throws: `permissionDenied`.
  func checkPublish(_ topic: Topic) throws(BusError) {
    guard let verdict = Self.holding(publishing, for: topic.name), !verdict.isAllowed else {
      return
    }
    throw refused("publish on \(quotedForError(topic.name))", verdict)
  }

  /// A subscription gets all that is below its prefix, so it needs a right to all of it. O(rules).
  ///
  /// - Throws: `permissionDenied`.
  func checkSubscribe(_ prefix: TopicPrefix) throws(BusError) {
    let below = subscribing.filter {
      $0.prefix != prefix && prefix.matches(bytes: $0.prefix.name.utf8)
    }
    let above = Self.holding(subscribing, for: prefix.name).map { [$0] } ?? []
    guard let verdict = (above + below).first(where: { !$0.isAllowed }) else { return }
    throw refused(
      prefix.name.isEmpty
        ? "subscribe to everything" : "subscribe to \(quotedForError(prefix.name))", verdict)
  }

  /// Of those that match a topic, or a prefix as a whole, the one with the longest prefix.
  private static func holding(_ verdicts: [Verdict], for name: String) -> Verdict? {
    verdicts.filter { $0.prefix.matches(bytes: name.utf8) }
      .max { $0.prefix.name.utf8.count < $1.prefix.name.utf8.count }
  }

  /// Whether the policy says who may subscribe to a topic. O(rules).
  func isReserved(_ topic: Topic) -> Bool {
    Self.holding(subscribing, for: topic.name).map { !$0.list.contains(.anyone) } ?? false
  }

  private func refused(_ wish: String, _ verdict: Verdict) -> BusError {
    let name = verdict.prefix.name
    let place = name.isEmpty ? "for everything" : "for \(quotedForError(name))"
    let others = verdict.list.map(\.description).joined(separator: ", ")
    return BusError(
      .permissionDenied,
      "the user \(Accounts.name(ofUser: user)) may not \(wish): \(place), \(BusPolicy.fileName) "
        + "allows it to \(others.isEmpty ? "nobody" : others)",
      hint: "name another topic, or ask who owns the bus to change \(BusPolicy.fileName)")
  }
}
