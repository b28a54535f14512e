import Foundation
import Testing

/// The benchmarks, as small as they can be: no figure is judged, only that each is there, and that
/// nothing was lost on the way to it.
@Suite struct QuickBenchmarksTests {
  /// The products lie next to the test bundle.
  private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("conclave-bench")

  private struct Report: Decodable {
    struct Metric: Decodable {
      let median: Double?
      let kind: String
      let samples: [Double?]
    }
    let benchmarks: [String: [String: Metric]]
  }

  @Test func everyBenchmarkRuns() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("conclave-bench-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let quick = try run("--quick", "--json", file.path)
    #expect(quick.exit == 0, "\(quick.errors)")

    let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: file))
    let names = try run("--list").output.split(separator: "\n").compactMap {
      $0.split(separator: "\t").first.map(String.init)
    }
    #expect(names.count == 9)
    #expect(Set(report.benchmarks.keys) == Set(names))
    for (name, metrics) in report.benchmarks {
      #expect(!metrics.isEmpty, "\(name) measured nothing")
      for (metric, values) in metrics { check(values, "\(name): \(metric)") }
    }
  }

  private func check(_ metric: Report.Metric, _ name: String) {
    // What is not finite is null in JSON.
    guard let median = metric.median, !metric.samples.isEmpty, !metric.samples.contains(nil) else {
      Issue.record("\(name) is no number")
      return
    }
    switch metric.kind {
    case "fault": #expect(median == 0, "\(name)")
    // Who sleeps may use no measurable time at all.
    case "quantity" where name.hasPrefix("idle:"): #expect(median >= 0, "\(name)")
    default: #expect(median > 0, "\(name)")
    }
  }

  @Test(arguments: [["--runs", "0"], ["--runs"], ["--json"], ["--quik"], ["nonsense"]])
  func wrongUse(_ arguments: [String]) throws {
    let outcome = try run(arguments)
    #expect(outcome.exit == 2)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasSuffix("see conclave-bench --help\n"))
  }

  private func run(_ arguments: String...) throws -> (exit: Int32, output: String, errors: String) {
    try run(arguments)
  }

  private func run(_ arguments: [String]) throws -> (exit: Int32, output: String, errors: String) {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()
    process.executableURL = Self.program
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Errors are few enough to wait in their pipe meanwhile.
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let notes = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: text, as: UTF8.self),
      String(decoding: notes, as: UTF8.self)
    )
  }
}
