import ConclaveBus
import Glibc

/// Where the runs of a repository's plans keep what they know: `.conclave/parallel` in the main
/// worktree, whichever worktree they are begun in.
struct FleetFolder: Hashable, Sendable {
  let path: String

  var lockFile: String { "\(path)/.lock" }
  /// What the user's checkout was before git was to move it.
  var checkoutMemo: String { "\(path)/.checkout" }
  /// What reviewers of merged work need while they are at work.
  var reviewFolder: String { "\(path)/.review" }
  /// The name of the run that began last.
  private var latestFile: String { "\(path)/latest" }

  /// - Parameter git: in any worktree.
  /// - Throws: `unsupported` when there can be no such directory; whatever git said.
  init(_ git: GitCommand) throws(BusError) {
    let common = try git.commonDirectory()
    let isUsual = common.hasSuffix("/.git")
    self.init(in: "\(isUsual ? String(common.dropLast(5)) : common)/.conclave")
    try requireFolders()
  }

  /// - Throws: `unsupported` when something else is where it is to be.
  private func requireFolders() throws(BusError) {
    for place in [String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), path] {
      var information = stat()
      guard unsafe lstat(place, &information) == 0 else { continue }
      if unsafe stat(place, &information) == 0, information.st_mode & S_IFMT == S_IFDIR { continue }
      throw BusError(
        .unsupported, "\(shown(place)) is not a directory, so a run can keep nothing there",
        hint: "move it away")
    }
  }

  /// - Parameter conclave: the `.conclave` that it lies in.
  init(in conclave: String) { path = "\(conclave)/parallel" }

  /// The mark of everything that works on tasks of this repository.
  var memberMark: String { "\(FleetMark.member)=\(path)" }
  var gitMark: String { "\(FleetMark.git)=\(path)" }

  func make() throws(BusError) { try DurableFile.makeFolder(path) }

  func latest() throws(BusError) -> FleetRunFolder? {
    guard let bytes = try DurableFile.read(latestFile, limit: 1000),
      let name = try? SessionName(String(String(decoding: bytes, as: UTF8.self).trimmed))
    else { return nil }
    return FleetRunFolder(self, name)
  }

  /// Makes the folder of a new run, with its plan, and removes those of old ones.
  func begin(_ name: SessionName, plan: [UInt8]) throws(BusError) -> FleetRunFolder {
    let run = FleetRunFolder(self, name)
    try DurableFile.makeFolder(run.path)
    try DurableFile.write(plan, to: run.planFile)
    removeOld(but: name)
    return run
  }

  /// Says that a run has begun: from then on it is the one that can be resumed.
  func setLatest(_ name: SessionName) throws(BusError) {
    try DurableFile.write(Array("\(name)\n".utf8), to: latestFile)
  }

  /// As many are kept as sessions of the bus. A name begins with the time.
  private func removeOld(but current: SessionName) {
    let names = DurableFile.names(in: path)
      .filter { (try? SessionName($0)) != nil && $0 != "latest" && $0 != current.text }.sorted()
    for name in names.dropLast(SessionArchive.keptSessions - 1) {
      let folder = "\(path)/\(name)"
      for file in DurableFile.names(in: folder) { unsafe unlink("\(folder)/\(file)") }
      unsafe rmdir(folder)
    }
  }
}

/// The files of one run.
struct FleetRunFolder: Hashable, Sendable {
  let name: SessionName
  let path: String

  fileprivate init(_ folder: FleetFolder, _ name: SessionName) {
    self.name = name
    path = "\(folder.path)/\(name)"
  }

  var journalFile: String { "\(path)/journal.jsonl" }
  /// The plan as it was when the run began.
  var planFile: String { "\(path)/plan.md" }

  /// What a task's loop is told to do.
  func taskFile(_ task: Int, attempt: Int) -> String { "\(path)/task-\(task)-\(attempt).md" }
}
