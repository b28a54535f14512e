/// What the command line asks for.
struct BenchmarkOptions {
  var benchmarks: [any Benchmark.Type] = []
  var runs = 5
  var isQuick = false
  var jsonPath: String?

  enum Request {
    case help
    case list
    case run(BenchmarkOptions)
  }

  static let help = """
    conclave-bench - measures what the bus promises

    Usage: conclave-bench [NAME ...] [options]

    Runs the named benchmarks, or all of them, several times, and prints for each
    figure the median, the least and the greatest. What is compared was measured
    in the same run.

      --list       print the benchmarks and what they find out
      --quick      everything once and as small as possible, to see that it works
      --runs N     how often each is run (default 5; with --quick 1)
      --json FILE  write the results and the environment to FILE as well
      -h, --help   show this help and exit

    Exit codes: 0 done; 1 something was lost, duplicated or otherwise wrong;
    2 wrong use; 70 a benchmark failed; 130 or 143 interrupted.

    """

  /// - Throws: what is wrong with `arguments`.
  static func parse(_ arguments: [String]) throws(UsageError) -> Request {
    var options = BenchmarkOptions()
    var runs: Int?
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": return .help
      case "--list": return .list
      case "--quick": options.isQuick = true
      case "--runs":
        guard let text = rest.popFirst(), let count = Int(text), (1...1000).contains(count) else {
          throw UsageError("--runs needs a number from 1 to 1000")
        }
        runs = count
      case "--json":
        guard let path = rest.popFirst(), !path.isEmpty else {
          throw UsageError("--json needs the name of a file")
        }
        options.jsonPath = path
      default:
        guard let benchmark = Benchmarks.named(argument) else {
          let what = argument.hasPrefix("-") ? "option" : "benchmark"
          throw UsageError("unknown \(what) \(argument)")
        }
        options.benchmarks.append(benchmark)
      }
    }
    if options.benchmarks.isEmpty { options.benchmarks = Benchmarks.all }
    options.runs = runs ?? (options.isQuick ? 1 : options.runs)
    return .run(options)
  }
}

/// A mistake on the command line.
struct UsageError: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
