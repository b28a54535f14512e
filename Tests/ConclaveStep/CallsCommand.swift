import StepTracer

/// System calls that fail.
enum CallsCommand {
  static let usage = """
    usage: conclave-step calls [--places N] [--defect]
    A process makes a segment, joins it, fills it, waits for room, receives, sleeps, only looks,
    mirrors, leaves its place to a successor, leaves and removes the segment; and visits one in
    which others take part. Each of its system calls fails once (or N of them, evenly spread), with
    each of eleven errors, each time in another process. It must not die, must come to its end, must
    succeed when it tries again, and must leave no file open, no memory mapped and nothing on the
    disk; the others must get what it has published, once. The same of a process that may have no
    more memory. With --defect what could not be joined stays mapped, which must be noticed.

    """

  static func main(_ words: [String]) -> Int32 {
    var (places, defect) = (UInt64(0), STEP_CALLS_SOUND)
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--places", let count = rest.popFirst().flatMap({ UInt64($0) }), count > 0 {
        places = count
      } else if word == "--defect" {
        defect = STEP_CALLS_LEAK
      } else {
        print(usage, terminator: "")
        return 2
      }
    }
    return run(places, defect)
  }

  private static func run(_ places: UInt64, _ defect: step_calls_defect) -> Int32 {
    let hasGoneOn = step_try_no_memory() != 0
    if !hasGoneOn { print("FAULT calls: a process without memory does not go on") }
    var result = step_calls_result()
    let failure = unsafe step_calls_sweep(places, defect, &result)
    print(
      "system calls: \(result.calls) in a life, \(result.lives) lives in which one failed, "
        + "\(result.refused) of them told of it")
    let fault = unsafe withUnsafeBytes(of: result.fault) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if failure != 0 { print("FAULT calls: could not be tried: \(failure)") }
    if !fault.isEmpty { print("FAULT calls: \(fault)") }
    return failure == 0 && fault.isEmpty && hasGoneOn ? 0 : 1
  }
}
