/// One question, answered by measuring.
protocol Benchmark {
  static var name: String { get }
  /// What it finds out, in one line.
  static var question: String { get }

  /// Measures everything once, so that what is compared was measured at the same time. The harness
  /// calls it several times and reports medians.
  static func run(_ setting: Setting, _ record: inout Record) throws
}

/// How large a run is.
struct Setting {
  /// Whether everything is as small as it can be, to see that it works and not how fast.
  let isQuick: Bool
  let interruption: Interruption

  func size<Value>(_ full: Value, quick: Value) -> Value { isQuick ? quick : full }
}

/// Why a benchmark has no result.
struct BenchmarkFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

enum Benchmarks {
  static var all: [any Benchmark.Type] {
    [
      CostBenchmark.self, PingPongBenchmark.self, ThroughputBenchmark.self, LatencyBenchmark.self,
      IdleBenchmark.self, FileBenchmark.self, MirrorBenchmark.self, StartupBenchmark.self,
      MemoryBenchmark.self,
    ]
  }

  static func named(_ name: String) -> (any Benchmark.Type)? { all.first { $0.name == name } }
}
