/// Kills a mirror at every system call of a run, or lets every system call of it fail once, or cuts
/// its writes at many places; then another one goes on, and the files are judged. strace does most
/// of it: `inject=...:when=N`.
enum Sweep: String {
  case kills, errors, short, torn, sessions

  /// What changes files or memory that others see, or decides what is done next.
  private static let calls = [
    "write", "pwrite64", "ftruncate", "fdatasync", "fsync", "openat", "flock", "fcntl", "futex",
    "renameat", "unlinkat", "statx", "newfstatat", "pread64", "mmap", "fallocate", "linkat",
  ]

  private struct Failing {
    var call: String
    var errors: [String]
    var policy = "block"
  }

  private static let failing = [
    Failing(call: "write", errors: ["EINTR"]),
    Failing(call: "fdatasync", errors: ["EIO", "ENOSPC", "EINTR"]),
    Failing(call: "fdatasync", errors: ["EIO"], policy: "fail"),
    Failing(call: "fsync", errors: ["EIO"]),
    Failing(call: "write", errors: ["ENOSPC", "EIO"]),
    Failing(call: "write", errors: ["EIO"], policy: "fail"),
    Failing(call: "pwrite64", errors: ["ENOSPC", "EIO", "EINTR"]),
    Failing(call: "ftruncate", errors: ["EIO", "EINTR"]), Failing(call: "flock", errors: ["EINTR"]),
    Failing(call: "pread64", errors: ["EIO"]),
  ]

  /// - Returns: whether everything was as it must be, and enough was tried.
  func run() throws -> Bool {
    switch self {
    case .kills: try Sweep.kill()
    case .errors: try Sweep.fail()
    case .short: try Sweep.limit()
    case .torn: try Sweep.tear()
    case .sessions: try SessionSweep.run()
    }
  }

  private static func kill() throws -> Bool {
    var points = 0
    for call in calls {
      var place = 1
      while true {
        let run = try SweepRun()
        guard let wasMet = try run.disturb("\(call):signal=SIGKILL:when=\(place)") else {
          return false
        }
        if !wasMet { break }
        points += 1
        place += 1
      }
      print("\(call): killed at \(place - 1) places")
    }
    print("killed at \(points) places in all")
    return points > 100
  }

  private static func fail() throws -> Bool {
    var (points, failedSyncs) = (0, 0)
    for failing in failing {
      for error in failing.errors {
        var place = 1
        while true {
          let run = try SweepRun()
          let inject = "\(failing.call):error=\(error):when=\(place)"
          guard let wasMet = try run.disturb(inject, policy: failing.policy) else { return false }
          if !wasMet { break }
          points += 1
          place += 1
          failedSyncs += run.failedSyncs
        }
        print("\(failing.call): failed with \(error) at \(place - 1) places (\(failing.policy))")
      }
    }
    print("failed at \(points) places in all; \(failedSyncs) waited for a sync that failed")
    return points > 50 && failedSyncs > 4
  }

  /// A write that ends at any byte of a file: around the ends of lines and far into the large ones.
  private static func limit() throws -> Bool {
    let places =
      Array(stride(from: 1, to: 2000, by: 37)) + Array(stride(from: 2000, to: 90_000, by: 2777))
    return try count("cut short", places, least: 50) { run, bytes in try run.limit(bytes) }
  }

  /// A death there. In between another file would meet the limit; of the large lines it sometimes
  /// does, too, so that nothing is torn.
  private static func tear() throws -> Bool {
    let places =
      Array(stride(from: 7, to: 300, by: 23))
      + Array(stride(from: 70_200, to: 140_000, by: 3_700))
    return try count("killed in a line", places, least: 10) { run, bytes in try run.tear(at: bytes)
    }
  }

  /// - Parameter body: returns whether it was of use; nil when something is wrong.
  private static func count(
    _ what: String, _ places: [Int], least: Int, _ body: (SweepRun, Int) throws -> Bool?
  ) throws -> Bool {
    var points = 0
    for place in places {
      guard let wasMet = try body(SweepRun(), place) else { return false }
      if wasMet { points += 1 }
    }
    print("\(what) at \(points) of \(places.count) places")
    return points > least
  }
}
