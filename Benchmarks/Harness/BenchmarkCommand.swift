import Glibc

/// `conclave-bench`: measures what the bus promises, and prints it.
enum BenchmarkCommand {
  /// Runs the command line; returns the exit code.
  static func main(_ arguments: [String]) -> Int32 {
    // A child that is gone must be an error and not the end.
    _ = signal(SIGPIPE, SIG_IGN)
    if arguments.first == WorkerRole.word { return WorkerRole.main(Array(arguments.dropFirst())) }
    do throws(UsageError) {
      switch try BenchmarkOptions.parse(arguments) {
      case .help:
        print(BenchmarkOptions.help, terminator: "")
        return 0
      case .list:
        for benchmark in Benchmarks.all { print("\(benchmark.name)\t\(benchmark.question)") }
        return 0
      case .run(let options): return run(options)
      }
    } catch {
      say("\(error.message); see conclave-bench --help")
      return 2
    }
  }

  private static func run(_ options: BenchmarkOptions) -> Int32 {
    do {
      return try run(options, Interruption())
    } catch let interrupted as Interruption.Interrupted {
      return 128 + interrupted.signal
    } catch {
      say("\(error)")
      return 70
    }
  }

  private static func run(_ options: BenchmarkOptions, _ interruption: Interruption) throws -> Int32
  {
    let setting = Setting(isQuick: options.isQuick, interruption: interruption)
    let environment = BenchmarkEnvironment(runs: options.runs, isQuick: options.isQuick)
    var results: [(String, Record)] = []
    print(environment.line)
    for benchmark in options.benchmarks {
      guard let record = try measure(benchmark, setting, runs: options.runs) else { continue }
      results.append((benchmark.name, record))
      print("\n" + Report.text(benchmark, record), terminator: "")
      fflush(nil)
    }
    if let path = options.jsonPath {
      try SmallFile.write(JSONReport.text(environment, results), to: path)
    }
    if results.count < options.benchmarks.count { return 70 }
    return results.contains { $0.1.metrics.contains(where: \.isFaulty) } ? 1 : 0
  }

  /// nil when it failed, of which people have been told: the others may still have something to
  /// say.
  private static func measure(
    _ benchmark: any Benchmark.Type, _ setting: Setting, runs: Int
  ) throws -> Record? {
    var record = Record()
    for run in 1...runs {
      try setting.interruption.check()
      if isatty(STDERR_FILENO) == 1 { say("\(benchmark.name), run \(run) of \(runs)") }
      do {
        try benchmark.run(setting, &record)
      } catch let error where !(error is Interruption.Interrupted) {
        say("\(benchmark.name): \(error)")
        return nil
      }
    }
    return record
  }
}

/// Says `line` on standard error.
func say(_ line: String) {
  let bytes = Array("conclave-bench: \(line)\n".utf8)
  _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
}
