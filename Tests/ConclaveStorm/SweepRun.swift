import BusTesting
import ConclaveBus
import Glibc

/// One world of a sweep: a worker that meets trouble, then one that goes on undisturbed.
final class SweepRun {
  private let temporary: TemporaryDirectory
  private let directory: BusDirectory
  private let path: String
  private let pipe: Int32
  private var records: [Substring] = []
  /// Publishes that waited for a sync which was made to fail.
  private(set) var failedSyncs = 0

  init() throws {
    temporary = try TemporaryDirectory()
    path = temporary.appending("bus")
    directory = try BusDirectory(opening: path)
    // Not a file, whose length would be limited as well. Open for reading and writing, so that it
    // keeps what was written when the writer has died.
    let name = temporary.appending("records")
    guard unsafe mkfifo(name, 0o600) == 0 else { throw SystemFailure("mkfifo") }
    pipe = unsafe open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC)
  }

  deinit {
    close(pipe)
    unsafe unlink(SharedMemoryBus.segmentPath(of: directory))
  }

  /// A worker of which strace disturbs a call: `inject` is as in `write:signal=SIGKILL:when=3`.
  ///
  /// - Returns: whether there are so many calls of that kind; nil when something is wrong.
  func disturb(_ inject: String, policy: String = "block") throws -> Bool? {
    let call = inject.prefix { $0 != ":" }
    let file = temporary.appending("strace")
    let isSync = call.hasSuffix("sync")
    // With the files' names, and the syncs of files, which tell what one of a directory is for.
    let shown = isSync ? ["-y", "-s", "1000000"] : ["-s", "32"]
    let traced = isSync ? "fsync,fdatasync,write" : "\(call),write"
    let child = try ChildProcess(
      "strace",
      ["-f", "-qq", "-o", file, "-e", "trace=\(traced)", "-e", "inject=\(inject)"] + shown
        + [SweepRun.program] + words("first", policy))
    let exit = try child.wait()
    let log = TextFile.read(file)
    let wasMet = exit == .signal(SIGKILL) || log.contains("(INJECTED)")
    // 127: the program could not even be loaded.
    guard [.code(0), .code(70), .code(127), .signal(SIGKILL)].contains(exit) else {
      throw SystemFailure("see \(inject) end well; it ended with \(exit): \(child.standardError)")
    }
    let isGood = try goOn(after: inject) { judge in
      if inject.contains("error=EINTR"), inject.hasPrefix("write:") {
        judge.judgeUnnoticed(child.standardOutput)
      }
      if isSync { judge.judgeSyncs(log, isPatient: policy == "block") }
    }
    return isGood ? wasMet : nil
  }

  /// A worker whose files may become only so long for a while.
  ///
  /// - Returns: whether the mirror met the limit; nil when something is wrong.
  func limit(_ bytes: Int) throws -> Bool? {
    let child = try ChildProcess(SweepRun.program, words("first", "block") + ["\(bytes)"])
    guard try [.code(0), .code(70)].contains(child.wait()) else {
      throw SystemFailure("end well with \(bytes) bytes: \(child.standardError)")
    }
    let isGood = try goOn(after: "a limit of \(bytes) bytes") { _ in }
    return isGood ? child.standardOutput.contains("mirrorFailing") : nil
  }

  /// The same, and strace kills the mirror when it wants to cut off what it wrote of a line.
  ///
  /// - Returns: whether it was killed; nil when something is wrong.
  func tear(at bytes: Int) throws -> Bool? {
    let child = try ChildProcess(
      "strace",
      ["-f", "-qq", "-o", "/dev/null", "-e", "trace=ftruncate"]
        + StormBus.topics.flatMap { ["-P", "\(path)/\($0).jsonl"] }
        + ["-e", "inject=ftruncate:signal=SIGKILL:when=1", SweepRun.program]
        + words("first", "block") + ["\(bytes)"])
    let exit = try child.wait()
    guard [.code(0), .signal(SIGKILL)].contains(exit) else {
      throw SystemFailure("end well with \(bytes) bytes: \(exit), \(child.standardError)")
    }
    let isGood = try goOn(after: "a line torn at \(bytes)") { _ in }
    return isGood ? exit == .signal(SIGKILL) : nil
  }

  private func words(_ name: String, _ policy: String) -> [String] {
    [SweepWorker.word, path, temporary.appending("records"), name, policy]
  }

  /// Another worker, undisturbed, and the judgement.
  ///
  /// - Parameter judgeFirst: looks at the first one.
  private func goOn(
    after what: String, judgeFirst: (inout SweepJudge) -> Void
  ) throws -> Bool {
    takeRecords()
    var judge = SweepJudge(records)
    judgeFirst(&judge)
    failedSyncs = judge.failedSyncs
    var faults = judge.faults
    let second = try ChildProcess(SweepRun.program, words("second", "block"))
    let exit = try second.wait()
    if exit != .code(0) {
      faults.append("the second ended with \(exit): \(second.standardOutput)")
    }
    takeRecords()
    judge = SweepJudge(records)
    try judge.judgeFiles(directory)
    faults += judge.faults
    for fault in faults { print("\(Report.word) after \(what): \(fault)") }
    return faults.isEmpty
  }

  private func takeRecords() {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe read(pipe, &bytes, bytes.count)
    records += RecordFile.records(in: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
  }

  static let program = TextFile.link("/proc/self/exe")
}
