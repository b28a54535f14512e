/// What the runs of one benchmark measured.
struct Record {
  /// What a number says.
  enum Kind: Equatable {
    /// A measured quantity.
    case quantity
    /// One measured quantity over another of the same run; nil: there is no aim.
    case ratio(atMost: Double?)
    /// Counts what must not happen.
    case fault
  }

  struct Metric {
    let name: String
    let unit: String
    let kind: Kind
    /// One per run, in their order.
    var samples: [Double]

    var median: Double { middle(of: samples) }
    var least: Double { samples.min() ?? .nan }
    var greatest: Double { samples.max() ?? .nan }

    /// Whether it fails what it must keep.
    var isFaulty: Bool { kind == .fault && greatest > 0 }
  }

  /// In the order in which they were first measured.
  private(set) var metrics: [Metric] = []

  /// Adds this run's value of a quantity.
  mutating func add(_ name: String, _ value: Double, _ unit: String) {
    add(name, value, unit, .quantity)
  }

  /// Adds this run's ratio.
  mutating func addRatio(_ name: String, _ value: Double, atMost limit: Double? = nil) {
    add(name, value, "x", .ratio(atMost: limit))
  }

  /// Adds how often something happened that must not happen.
  mutating func addFault(_ name: String, _ count: UInt64) {
    add(name, Double(count), "", .fault)
  }

  private mutating func add(_ name: String, _ value: Double, _ unit: String, _ kind: Kind) {
    if let index = metrics.firstIndex(where: { $0.name == name }) {
      metrics[index].samples.append(value)
    } else {
      metrics.append(Metric(name: name, unit: unit, kind: kind, samples: [value]))
    }
  }
}
