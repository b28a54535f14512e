/// The subscriptions of one bus object, without keeping them alive.
struct SubscriptionList {
  private struct Member {
    weak var subscription: Subscription?
  }

  private var members: [Member] = []

  mutating func add(_ subscription: Subscription) {
    members.removeAll { $0.subscription == nil }
    members.append(Member(subscription: subscription))
  }

  /// Takes out and returns those with exactly this prefix.
  mutating func remove(_ prefix: TopicPrefix) -> [Subscription] {
    let found = members.compactMap(\.subscription).filter { $0.prefix == prefix }
    members.removeAll { $0.subscription.map { $0.prefix == prefix } ?? true }
    return found
  }

  /// Takes out and returns all.
  mutating func removeAll() -> [Subscription] {
    defer { members = [] }
    return members.compactMap(\.subscription)
  }
}
