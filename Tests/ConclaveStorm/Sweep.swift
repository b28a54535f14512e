import BusTesting
import ConclaveBus
import Glibc

/// Kills a mirror at every system call of a run, or lets every system call of it fail once; then
/// another one goes on, and the files are judged. strace does it: `inject=...:when=N`.
enum Sweep {
  /// What changes files or memory that others see, or decides what is done next.
  private static let calls = [
    "write", "pwrite64", "ftruncate", "fdatasync", "fsync", "openat", "flock", "fcntl", "futex",
    "renameat", "unlinkat", "statx", "newfstatat", "pread64", "mmap", "fallocate", "linkat",
  ]
  private static let failing: [(call: String, errors: [String])] = [
    ("write", ["ENOSPC", "EIO", "EINTR"]), ("pwrite64", ["ENOSPC", "EIO", "EINTR"]),
    ("fdatasync", ["EIO", "ENOSPC"]), ("fsync", ["EIO"]), ("ftruncate", ["EIO", "EINTR"]),
    ("flock", ["EINTR"]), ("pread64", ["EIO"]),
  ]

  /// - Returns: whether everything was as it must be.
  static func kills() throws -> Bool {
    var points = 0
    for call in calls {
      var place = 1
      while let isGood = try run(inject: "\(call):signal=SIGKILL:when=\(place)") {
        guard isGood else { return false }
        points += 1
        place += 1
      }
      print("\(call): killed at \(place - 1) places")
    }
    print("killed at \(points) places in all")
    return points > 100
  }

  static func errors() throws -> Bool {
    var points = 0
    for (call, errors) in failing {
      for error in errors {
        var place = 1
        while let isGood = try run(inject: "\(call):error=\(error):when=\(place)") {
          guard isGood else { return false }
          points += 1
          place += 1
        }
        print("\(call): failed with \(error) at \(place - 1) places")
      }
    }
    print("failed at \(points) places in all")
    return points > 50
  }

  /// A write that ends at any byte of a file, and a while in which nothing more fits.
  static func shortWrites() throws -> Bool {
    var points = 0
    // Around the ends of lines and far into the large ones.
    let places =
      Array(stride(from: 1, to: 2000, by: 37)) + Array(stride(from: 2000, to: 90_000, by: 2777))
    for bytes in places {
      guard let wasMet = try run(limit: UInt64(bytes)) else { return false }
      if wasMet { points += 1 }
    }
    print("cut short at \(points) places")
    return points > 50
  }

  /// - Returns: whether the mirror met the limit; nil when something was not as it must be.
  private static func run(limit: UInt64) throws -> Bool? {
    let temporary = try TemporaryDirectory()
    let path = temporary.appending("bus")
    let directory = try BusDirectory(opening: path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let acknowledged = temporary.appending("acknowledged")
    let first = try ChildProcess(
      program, [SweepWorker.word, path, acknowledged, "first", "\(limit)"])
    guard try [.code(0), .code(70)].contains(first.wait()) else {
      throw SystemFailure("end well with \(limit) bytes: \(first.standardError)")
    }
    let isGood = try goOn(after: "a limit of \(limit) bytes", path, directory, acknowledged)
    return isGood ? first.standardOutput.contains("mirrorFailing") : nil
  }

  /// Another worker, undisturbed, and the judgement.
  private static func goOn(
    after what: String, _ path: String, _ directory: BusDirectory, _ acknowledged: String
  ) throws -> Bool {
    let second = try ChildProcess(program, [SweepWorker.word, path, acknowledged, "second"])
    guard try second.wait() == .code(0) else {
      throw SystemFailure("go on after \(what): \(second.standardOutput)")
    }
    let faults = try judge(directory, acknowledged)
    for fault in faults { print("FAULT after \(what): \(fault)") }
    return faults.isEmpty
  }

  /// One world: a worker that meets what `inject` says, then one that goes on undisturbed.
  ///
  /// - Returns: nil when nothing was met: there are not so many calls of that kind.
  private static func run(inject: String) throws -> Bool? {
    let temporary = try TemporaryDirectory()
    let path = temporary.appending("bus")
    let directory = try BusDirectory(opening: path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let acknowledged = temporary.appending("acknowledged")
    let log = temporary.appending("strace")
    let call = inject.prefix { $0 != ":" }
    let first = try ChildProcess(
      "strace",
      ["-f", "-qq", "-o", log, "-e", "trace=\(call)", "-e", "inject=\(inject)"]
        + [program, SweepWorker.word, path, acknowledged, "first"])
    let exit = try first.wait()
    let wasMet = exit == .signal(SIGKILL) || TextFile.read(log).contains("(INJECTED)")
    // 127: the program could not even be loaded.
    guard [.code(0), .code(70), .code(127), .signal(SIGKILL)].contains(exit) else {
      throw SystemFailure("see \(inject) end well; it ended with \(exit): \(first.standardError)")
    }
    guard try goOn(after: inject, path, directory, acknowledged) else { return false }
    return wasMet ? true : nil
  }

  private static func judge(
    _ directory: BusDirectory, _ acknowledged: String
  ) throws -> [String] {
    var files = StormCheck()
    let bus = try FileBus(directory: directory)
    let all = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    while let delivery = try all.poll() { files.take(delivery) }
    var faults = files.faults
    if all.losses.damaged > 0 { faults.append("\(all.losses.damaged) damaged lines") }
    let promised = Set(TextFile.read(acknowledged).split(separator: "\n").map(String.init))
    let missing = promised.subtracting(files.seen)
    if !missing.isEmpty { faults.append("missing: \(missing.sorted().joined(separator: ", "))") }
    // The second had nothing in its way.
    let ofSecond = files.seen.filter { $0.hasPrefix("second ") }.count
    if ofSecond != 9 { faults.append("the second published 9, of which \(ofSecond) are there") }
    return faults
  }

  private static let program: String = {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/exe", &path, path.count)
    return String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }()
}
