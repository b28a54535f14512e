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
  func run(_ sample: SweepSample) throws -> Bool {
    switch self {
    case .kills: try Sweep.kill(sample)
    case .errors: try Sweep.fail(sample)
    case .short: try Sweep.limit(sample)
    case .torn: try Sweep.tear(sample)
    case .sessions: try SessionSweep.run(sample)
    }
  }

  private static func kill(_ sample: SweepSample) throws -> Bool {
    var points = 0
    for (kind, call) in calls.enumerated() {
      let count = try sample.countPlaces(kind: kind) { place in
        try SweepRun().disturb("\(call):signal=SIGKILL:when=\(place)")
      }
      guard let count else { return false }
      points += count
      print("\(call): killed at \(count) places")
    }
    print("killed at \(points) places in all")
    return sample.isEnough(points, of: 100)
  }

  private static func fail(_ sample: SweepSample) throws -> Bool {
    var (points, failedSyncs, kinds) = (0, 0, 0)
    for failing in failing {
      for error in failing.errors {
        kinds += 1
        let count = try sample.countPlaces(kind: kinds) { place in
          let run = try SweepRun()
          defer { failedSyncs += run.failedSyncs }
          let inject = "\(failing.call):error=\(error):when=\(place)"
          return try run.disturb(inject, policy: failing.policy)
        }
        guard let count else { return false }
        points += count
        print("\(failing.call): failed with \(error) at \(count) places (\(failing.policy))")
      }
    }
    print("failed at \(points) places in all; \(failedSyncs) waited for a sync that failed")
    return sample.isEnough(points, of: 50) && (sample.every > 1 || failedSyncs > 4)
  }

  /// A write that ends at any byte of a file: around the ends of lines and far into the large ones.
  private static func limit(_ sample: SweepSample) throws -> Bool {
    let places =
      Array(stride(from: 1, to: 2000, by: 37)) + Array(stride(from: 2000, to: 90_000, by: 2777))
    return try sample.count("cut short", places, least: 50) { bytes in
      try SweepRun().limit(bytes)
    }
  }

  /// A death there. In between another file would meet the limit; of the large lines it sometimes
  /// does, too, so that nothing is torn.
  private static func tear(_ sample: SweepSample) throws -> Bool {
    let places =
      Array(stride(from: 7, to: 300, by: 23))
      + Array(stride(from: 70_200, to: 140_000, by: 3_700))
    return try sample.count("killed in a line", places, least: 10) { bytes in
      try SweepRun().tear(at: bytes)
    }
  }
}
