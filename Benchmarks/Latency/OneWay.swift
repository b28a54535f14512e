import CShim
import ConclaveBus
import ConclaveStress

/// How soon a sleeping subscriber has a message of a paced publisher in another process: from just
/// before the publish to the subscriber's own code.
struct OneWay {
  let setting: Setting
  /// Messages a second.
  let rate: Int
  let count: Int

  func over(_ transport: String) throws -> LatencyHistogram {
    try Scratch.with { scratch in
      let words = [PacedWorker.name, transport, scratch.path, "\(rate)", "\(count)"]
      let bus = try WorkerWords([transport, scratch.path]).bus(0)
      defer { bus.close() }
      let subscription = try bus.subscribe(PacedWorker.topic)
      return try withChildren([words], setting.interruption) { children in
        try children[0].order()
        return try receive(subscription)
      }
    }
  }

  private func receive(_ subscription: Subscription) throws -> LatencyHistogram {
    var times = LatencyHistogram()
    let deadline = conclave_monotonic_ns() + 60_000_000_000
    while times.total < UInt64(count) {
      let handed = try subscription.drain { _, payload in
        let now = conclave_monotonic_ns()
        times.record(now - min(now, PacedWorker.sent(payload)))
      }
      guard handed == 0 else { continue }
      try setting.interruption.check()
      if conclave_monotonic_ns() > deadline { throw BenchmarkFailure("messages are missing") }
      subscription.wait(timeout: .seconds(1))
    }
    return times
  }

  /// The same with nothing but a futex.
  func overBareFutex() throws -> LatencyHistogram {
    try Scratch.with { scratch in
      let page = try TurnPage(scratch.pagePath)
      var times = LatencyHistogram()
      let words = [FutexPacedWorker.name, scratch.pagePath, "\(rate)", "\(count)"]
      try withChildren([words], setting.interruption) { children in
        try children[0].order()
        for turn in 1...UInt32(count) {
          try page.await(turn, .there)
          let now = conclave_monotonic_ns()
          times.record(now - min(now, page.sent(.there)))
          page.give(turn, .back)
        }
      }
      return times
    }
  }
}
