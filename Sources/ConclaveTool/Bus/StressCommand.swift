import CShim
import ConclaveBus
import ConclaveStress
import Glibc

/// `conclave bus stress`: many publishers and subscribers, every byte checked.
enum StressCommand: Command {
  static let usage = Usage(
    "bus stress", "have many processes publish and receive, and check every byte",
    details: """
      Each payload carries its publisher, number and checksum, and each subscriber
      checks every message: bytes, order, and that what is missing was reported.
      Exits with 1 when anything is wrong. With --rate, latency is one way from the
      time at which a message was due, so that a stalled publisher cannot hide it.
      With --mirror the topic files must have every message once, each publisher's
      in order.
      """,
    options: [
      transport, publishers, subscribers, messages, payload, rate, policy, batch, mirror,
      busDirectory, quiet,
    ],
    examples: [
      Example("50 processes to 4, through shared memory", "conclave bus stress"),
      Example(
        "latency at 10,000 messages a second, as JSON",
        "conclave bus stress --rate 10000 --messages 100000 --subscribers 1 --json"),
      Example("compare the transports", "conclave bus stress --transport all --messages 200000"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let plans = try plans(arguments)
    let choice = try arguments.word(transport, of: TransportChoice.self)
    let signals = conclave_signals_open()
    guard signals >= 0 else {
      throw ToolError(
        .failure, code: "system", "cannot watch for signals: \(errorText(-signals))")
    }
    var results: [StressResult] = []
    for plan in plans {
      let progress = ProgressLine(console, plan, isQuiet: arguments.has(quiet))
      defer { progress.clear() }
      let run = StressRun(
        plan, workerCommand: StressWorkerCommand.commandLine,
        directory: arguments.text(busDirectory),
        interruption: signals, onProgress: progress.show)
      do throws(StressFailure) {
        results.append(try run.run())
      } catch {
        switch error {
        case .bus(let error): throw error
        case .interrupted:
          return conclave_signals_read(signals) == SIGINT ? .interrupted : .terminated
        }
      }
    }
    let report = StressReport(results)
    try console.output.write(console.json ? report.json(asArray: choice == .all) : report.table)
    return results.allSatisfy(\.faults.isEmpty) ? .success : .negative
  }
}

/// `conclave bus stress-worker`: what `bus stress` starts.
enum StressWorkerCommand: Command {
  static let commandLine = ["conclave", "bus", "stress-worker"]

  static let usage = Usage(
    "bus stress-worker", "one publisher, subscriber or mirror of bus stress, which starts it",
    operands: [
      "ROLE", "INDEX", "PUBLISHERS", "SUBSCRIBERS", "MESSAGES", "PAYLOAD", "RATE", "BATCH",
      "TRANSPORT", "POLICY", "MIRROR", "DIR",
    ].map { Operand($0, "set by bus stress") },
    options: [], examples: [])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    guard let (worker, directory) = StressWorker.parse(arguments.operands) else {
      throw usageError(
        "these are not the arguments of a worker", hint: "run conclave bus stress instead")
    }
    // What went wrong was reported to the coordinator, which says it.
    return worker.runAsProcess(directory: directory) ? .success : .failure
  }
}
