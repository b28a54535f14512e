/// What the processes of a storm are.
enum StormRole: String, CaseIterable {
  case publisher
  /// Subscribers that drop, and so go to the files.
  case dropping
  /// Subscribers that publishers wait for, slow at times.
  case waiting
  /// Members of a durable group.
  case member
}

/// How many processes of each role were ended, and how.
struct StormTally {
  private(set) var kills: [StormRole: Int] = [:]
  /// Killed while they were the mirror.
  private(set) var mirrors = 0
  private(set) var goodEnds: [StormRole: Int] = [:]

  var allKills: Int { kills.values.reduce(0, +) }
  var allGoodEnds: Int { goodEnds.values.reduce(0, +) }

  mutating func noteKill(_ role: StormRole, wasMirror: Bool) {
    kills[role, default: 0] += 1
    if wasMirror { mirrors += 1 }
  }

  mutating func noteGoodEnd(_ role: StormRole) { goodEnds[role, default: 0] += 1 }

  var text: String {
    """
    \(allKills) kills: \(StormTally.text(kills)); \(mirrors) of them of the mirror
    \(allGoodEnds) ends in order: \(StormTally.text(goodEnds))
    """
  }

  private static func text(_ counts: [StormRole: Int]) -> String {
    StormRole.allCases.map { "\(counts[$0, default: 0]) \($0.rawValue)" }.joined(separator: ", ")
  }
}
