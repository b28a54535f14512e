import ConclaveBus
import ConclaveStress

/// What a process does that a benchmark starts: this same program with hidden arguments.
protocol Worker {
  /// The word that calls it.
  static var name: String { get }

  /// Does the work that `words` describe.
  static func run(_ words: WorkerWords, _ line: ParentLine) throws
}

enum WorkerRole {
  /// The hidden first argument.
  static let word = "benchmark-worker"
  /// The hidden command line that makes this program a worker of a stress run.
  static let stressCommand = ["conclave-bench", word, "stress"]

  private static var all: [any Worker.Type] {
    [
      EchoWorker.self, FutexEchoWorker.self, FutexGroupWorker.self, PacedWorker.self,
      FutexPacedWorker.self,
      SleepingWorker.self, HoldingWorker.self, FloodingWorker.self, IteratingWorker.self,
      BareAppendWorker.self, MirroringWorker.self, MirroredPublishWorker.self, HealedWorker.self,
      FullDiskWorker.self,
    ]
  }

  /// The worker's whole life; returns its exit code.
  static func main(_ words: [String]) -> Int32 {
    if words.first == "stress" {
      guard let (worker, directory) = StressWorker.parse(Array(words.dropFirst())) else { return 2 }
      return worker.runAsProcess(directory: directory) ? 0 : 70
    }
    guard let worker = all.first(where: { $0.name == words.first }) else { return 2 }
    do {
      try worker.run(WorkerWords(words.dropFirst()), ParentLine())
      return 0
    } catch {
      say("\(worker.name): \(error)")
      return 70
    }
  }
}

/// The arguments of a worker, taken one by one.
struct WorkerWords {
  private let words: [String]

  init(_ words: some Sequence<String>) { self.words = Array(words) }

  func text(_ index: Int) throws -> String {
    guard words.indices.contains(index) else { throw BenchmarkFailure("argument is missing") }
    return words[index]
  }

  func number(_ index: Int) throws -> Int {
    guard let number = Int(try text(index)) else { throw BenchmarkFailure("not a number") }
    return number
  }

  /// The bus in the directory at `index`, of the transport that stands before it.
  func bus(_ index: Int) throws -> any MessageBus {
    let directory = try BusDirectory(opening: text(index + 1))
    return switch try text(index) {
    case "shm": try SharedMemoryBus(directory: directory)
    case "file": try FileBus(directory: directory)
    default: throw BenchmarkFailure("unknown transport")
    }
  }
}
