import CShim
import ConclaveStress

/// The reference for wake-ups: two processes with nothing but a futex between them.
enum BareFutex {
  /// The times of whole round trips.
  static func roundTrips(_ setting: Setting, _ count: Int) throws -> LatencyHistogram {
    try Scratch.with { scratch in
      let page = try TurnPage(scratch.pagePath)
      var times = LatencyHistogram()
      let words = [FutexEchoWorker.name, scratch.pagePath, "\(count)"]
      try withChildren([words], setting.interruption) { children in
        try children[0].order()
        for turn in 1...UInt32(count) {
          let start = conclave_monotonic_ns()
          page.give(turn, .there)
          try page.await(turn, .back)
          times.record(conclave_monotonic_ns() - start)
        }
      }
      return times
    }
  }
}

/// Gives each turn back.
enum FutexEchoWorker: Worker {
  static let name = "futex-echo"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let page = try TurnPage(words.text(0))
    let count = try words.number(1)
    line.awaitStart()
    line.endWithParent()
    for turn in 1...UInt32(count) {
      try page.await(turn, .there)
      page.give(turn, .back)
    }
  }
}
