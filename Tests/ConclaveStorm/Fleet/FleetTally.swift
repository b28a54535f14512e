/// What happened in the rounds of a fleet's storm.
struct FleetTally {
  private var strikes: [FleetRound.Strike: Int] = [:]
  private var moments: [String: Int] = [:]
  /// How often the doctor was asked, and how often it was told to clear.
  var looks = 0
  var fixes = 0

  var kills: Int { strikes.values.reduce(0, +) }

  /// - Parameter moment: what the run had written down last, or `over`.
  mutating func note(_ strike: FleetRound.Strike, at moment: String) {
    strikes[strike, default: 0] += 1
    moments[moment, default: 0] += 1
  }

  mutating func add(_ other: FleetTally) {
    strikes.merge(other.strikes, uniquingKeysWith: +)
    moments.merge(other.moments, uniquingKeysWith: +)
    looks += other.looks
    fixes += other.fixes
  }

  /// One line.
  var text: String {
    let all = FleetRound.Strike.allCases.map { "\(strikes[$0] ?? 0) \($0)" }
    let places = moments.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return
      "\(kills) kills (\(all.joined(separator: ", "))), behind \(places.joined(separator: ", ")); "
      + "\(looks) looks of the doctor, who cleared \(fixes) times"
  }
}
