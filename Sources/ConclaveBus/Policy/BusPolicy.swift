/// Who may publish and subscribe to which topics, as the file `policy.json` in a bus directory
/// says.
///
/// ```json
/// {
///   "version": 1,
///   "rules": [
///     {"prefix": "build", "publish": ["user:ci", "group:leads"]},
///     {"prefix": "build.secrets", "publish": ["owner"], "subscribe": ["group:leads"]}
///   ]
/// }
/// ```
///
/// A rule is about a prefix and all topics below it, and says who may publish there, who may
/// subscribe, or both; nobody, with an empty list. Of the rules that speak of publishing on a topic
/// the one with the longest prefix holds, and holds alone; the same is true of subscribing. Where
/// none speaks, everybody who takes part may.
///
/// Every bus object reads the policy once, when it is opened, and keeps to it. The kernel does not
/// know of topics: who may open the bus at all (``BusAccess``) and does not use this library can do
/// what it likes.
public struct BusPolicy: Hashable, Sendable {
  /// The name of the file.
  public static let fileName = "policy.json"

  /// Somebody who may.
  public enum Who: Hashable, Sendable {
    /// `*`
    case anyone
    /// `owner`: the user who owns the bus directory.
    case owner
    /// `user:NAME`, or its number. A user whom the host does not know is nobody.
    case user(String)
    /// `group:NAME`, or its number: who has it among the groups of the process.
    case group(String)
  }

  public struct Rule: Hashable, Sendable {
    public var prefix: TopicPrefix
    /// Nil where the rule says nothing about it.
    public var publish: [Who]?
    /// Nil where the rule says nothing about it.
    public var subscribe: [Who]?

    public init(prefix: TopicPrefix, publish: [Who]? = nil, subscribe: [Who]? = nil) {
      self.prefix = prefix
      self.publish = publish
      self.subscribe = subscribe
    }
  }

  /// In any order; no two of one prefix say something about the same.
  public var rules: [Rule]

  public init(rules: [Rule]) { self.rules = rules }

  /// The names in it that the host does not know, each once, rising.
  public var unknownNames: [String] {
    let all = rules.flatMap { ($0.publish ?? []) + ($0.subscribe ?? []) }
    return Set(all.filter(\.isUnknown).map(\.description)).sorted()
  }
}

extension BusPolicy.Who: CustomStringConvertible {
  /// As it is written in the file.
  public var description: String {
    switch self {
    case .anyone: "*"
    case .owner: "owner"
    case .user(let name): "user:\(name)"
    case .group(let name): "group:\(name)"
    }
  }

  /// - Returns: nil for what is none of the forms.
  init?(_ text: String) {
    switch text {
    case "*": self = .anyone
    case "owner": self = .owner
    default:
      guard let colon = text.firstIndex(of: ":") else { return nil }
      let name = String(text[text.index(after: colon)...])
      guard Self.mayBeName(name) else { return nil }
      switch text[..<colon] {
      case "user": self = .user(name)
      case "group": self = .group(name)
      default: return nil
      }
    }
  }

  /// Whether it can name an account: a number is one only as the system writes it.
  private static func mayBeName(_ name: String) -> Bool {
    guard let first = name.first, first != "+", first != "-", !name.contains(where: \.isWhitespace)
    else { return false }
    guard name.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return true
    }
    return UInt32(name).map { $0 != .max && String($0) == name } ?? false
  }

  fileprivate var isUnknown: Bool {
    switch self {
    case .anyone, .owner: false
    case .user(let name): Accounts.user(name) == nil
    case .group(let name): Accounts.group(name) == nil
    }
  }
}
