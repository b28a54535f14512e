/// What is kept of which topics: one policy for a whole bus, and others for topics with a prefix.
///
/// Of the rules that match a topic the one with the longest prefix holds, and holds alone: what it
/// does not limit has no limit, whatever shorter prefixes say.
public struct RetentionRules: Hashable, Sendable {
  public struct Rule: Hashable, Sendable {
    public var prefix: TopicPrefix
    public var policy: RetentionPolicy

    public init(prefix: TopicPrefix, policy: RetentionPolicy) {
      self.prefix = prefix
      self.policy = policy
    }
  }

  /// For topics that no rule matches; nil: the rules do not concern them.
  public var standard: RetentionPolicy?
  /// In any order; of two with the same prefix the later holds.
  public var rules: [Rule]

  public init(standard: RetentionPolicy? = nil, rules: [Rule] = []) {
    self.standard = standard
    self.rules = rules
  }

  /// - Throws: `unsupported` when a limit is 0: that would keep nothing, not even what nobody has
  ///   read.
  func check() throws(BusError) {
    let policies = rules.map(\.policy) + (standard.map { [$0] } ?? [])
    guard let limit = policies.compactMap(\.limitOfNothing).first else { return }
    throw BusError(
      .unsupported, "the limit \(limit) keeps nothing", hint: "use one that is greater than 0")
  }

  /// The policy that holds for `topic`; nil where none does. O(rules).
  public func policy(for topic: Topic) -> RetentionPolicy? {
    var best: Rule?
    for rule in rules where rule.prefix.matches(topic) {
      if rule.prefix.name.utf8.count >= best?.prefix.name.utf8.count ?? 0 { best = rule }
    }
    return best?.policy ?? standard
  }
}
