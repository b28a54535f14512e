import StepTracer

/// How long a death is felt.
enum StallsCommand {
  static let usage = """
    usage: conclave-step stalls [--kills N]
    Measures N times (default 500) how long it takes from the kill of a publisher at full speed
    until another one has its lane, also where a child that it has forked lives on; and from the
    publishing of one that dies before it wakes anybody until a sleeper has the message; and counts
    how often a third one waits while N publishers are killed beside it. Figures, to be taken on a
    machine that does nothing else.

    """

  static func main(_ words: [String]) -> Int32 {
    var kills: UInt32 = 500
    if words.count == 2, words[0] == "--kills", let count = UInt32(words[1]), count > 0 {
      kills = count
    } else if !words.isEmpty {
      print(usage, terminator: "")
      return 2
    }
    var result = step_stalls_result()
    let failure = unsafe step_stalls_measure(kills, &result)
    guard failure == 0 else {
      print("FAULT stalls: could not be measured: \(failure)")
      return 1
    }
    print("\(kills) times each: median, 99th percentile, longest")
    print("a killed publisher's lane is somebody else's after \(text(result.lane))")
    print("where a child of it lives on, after \(text(result.parents_lane))")
    print("a message that nobody was told of is received after \(text(result.delivery))")
    print(
      "another publisher waited \(result.sleeps) times meanwhile, and published "
        + "\(result.published) messages")
    return 0
  }

  private static func text(_ times: step_times) -> String {
    [times.median_ns, times.p99_ns, times.longest_ns].map { "\($0 / 1000) us" }
      .joined(separator: ", ")
  }
}
