/// What the radar has to say on the board, or takes back.
public struct RadarPost: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    /// What a task changes.
    case intent
    /// That another task changes the same.
    case warning
  }

  /// Who says warnings. Intents are said in the name of the task that was observed.
  public static let sender = "radar"
  /// How long a note counts that is not said again: who is killed takes nothing back.
  public static let lifetime = Duration.seconds(30 * 60)

  public let subject: Subject
  public let kind: Kind
  public let text: String
  /// Whether it does not hold any more: the note is to expire at once.
  public var isWithdrawn = false

  /// What a note is about: the last note about it counts.
  public struct Subject: Hashable, Sendable {
    public let sender: String
    public let about: String
    /// The only task that it is for, or nil.
    public let recipient: String?
  }

  /// What `task` is told of `other`.
  static func overlap(of task: String, with other: String) -> Subject {
    Subject(sender: sender, about: "overlap with \(other)", recipient: task)
  }

  /// What `task` changes.
  init(task: String, touches paths: Set<String>) {
    subject = Subject(sender: task, about: "changes", recipient: nil)
    kind = .intent
    text = "changes \(RadarPost.list(paths))"
  }

  /// What `other` changes as well, for `task`.
  init(task: String, other: String, touch paths: Set<String>, _ verdict: RadarVerdict?) {
    subject = RadarPost.overlap(of: task, with: other)
    kind = .warning
    let end =
      switch verdict {
      case nil: ""
      case .merges: "; as both are now, git can merge them"
      case .conflicts(let files):
        "; as both are now, merging them conflicts in \(RadarPost.list(Set(files)))"
      }
    text = "\(other) changes what this task changes, too: \(RadarPost.list(paths))\(end)"
  }

  /// As a run of a plan has it said.
  public var finding: FleetBoard.Finding {
    var finding = FleetBoard.Finding(sender: subject.sender, kind: kind.rawValue, text: text)
    finding.about = subject.about
    finding.recipient = subject.recipient
    finding.lifetime = isWithdrawn ? .zero : RadarPost.lifetime
    finding.isObserved = true
    return finding
  }

  /// How many paths are named, and how long each may be in characters.
  static let listedPaths = 8
  static let longestPath = 120

  /// The first of them, and how many there are besides. Of a long path the end, which says most.
  static func list(_ paths: Set<String>) -> String {
    let named = paths.sorted().prefix(listedPaths).map { path in
      path.count > longestPath ? "...\(path.suffix(longestPath))" : path
    }
    let rest = paths.count - named.count
    return named.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
