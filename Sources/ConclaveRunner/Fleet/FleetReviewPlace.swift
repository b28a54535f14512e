public import ConclaveBus

/// What a run has merged, for whoever judges it as a whole: after the run has ended, while nobody
/// else works in the repository. Nothing that is done with it changes what was merged.
public struct FleetReviewPlace: Sendable {
  /// Whether there is anything to judge.
  public enum Standing: Hashable, Sendable {
    case isReady
    case nothingMerged
    /// The run can be gone on with, and what it has merged is judged when it is over.
    case notOver
  }

  public let outcome: FleetOutcome
  /// The tasks whose work is merged, in plan order.
  public let tasks: [PlanTask]
  /// For agents: with it the next run finds and ends those that outlive this one, and git finds no
  /// repository above the copies.
  public let environment: [String: String]
  private let site: FleetSite
  private let folder: FleetRunFolder

  init(_ outcome: FleetOutcome, _ run: FleetRun) {
    self.outcome = outcome
    let merged = Set(outcome.tasks.filter { $0.status == "merged" }.map(\.id))
    tasks = run.graph.plan.tasks.filter { merged.contains($0.id) }
    site = run.site
    folder = run.folder
    var environment = run.site.environment
    environment["GIT_CEILING_DIRECTORIES"] = site.folder.reviewFolder
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] { environment[name] = nil }
    self.environment = environment
  }

  public var standing: Standing {
    switch outcome.end {
    case .completed, .failed:
      outcome.base == outcome.head || tasks.isEmpty ? .nothingMerged : .isReady
    case .interrupted, .hindered, .stopped, .obstructed: .notOver
    }
  }

  /// What the run has changed.
  ///
  /// - Parameters:
  ///   - limit: the most that is shown of it, in bytes.
  ///   - stop: ends it early; see ``ReviewDifference/isCutOff``.
  public func difference(limit: Int, stop: StopSignal) throws(BusError) -> ReviewDifference {
    try ReviewDifference(
      site.git, from: outcome.base, to: outcome.head, limit: limit, stop: stop)
  }

  /// What has become of the branch meanwhile; nil when it is where the run has left it.
  public func movedBranch() -> String? {
    guard let head = try? site.advance.head else { return "\(outcome.branch) is gone" }
    if head == outcome.head { return nil }
    return "\(outcome.branch) is at \(head.prefix(12)) now, and not where the run has left it"
  }

  // MARK: Files

  /// Where reviewers keep what they need: gone when they have ended.
  public var scratch: String { site.folder.reviewFolder }

  /// Where the copy of one reviewer is.
  public func copy(_ number: Int) -> String { "\(scratch)/\(number)" }

  /// Makes as many copies of the merged work, each a repository of its own that shares nothing
  /// with the user's but the objects, which git only reads there: the branch `review` is what was
  /// merged, and `base` where the run began. Links are files with their targets, and what would
  /// tell reviewers' programs what they may do is left out.
  public func makeCopies(_ count: Int) throws(BusError) {
    site.folder.removeReviewFolder()
    try DurableFile.makeFolder(scratch)
    let objects = try site.git.must([
      "rev-parse", "--path-format=absolute", "--git-path", "objects",
    ])
    for number in 1...max(1, count) {
      try site.git.must(["init", "--quiet", "--template=", copy(number)])
      try fill(try site.git.elsewhere(copy(number)), objects)
    }
  }

  private func fill(_ git: GitCommand, _ objects: String) throws(BusError) {
    try DurableFile.makeFolder("\(git.directory)/.git/objects/info")
    try DurableFile.write(
      Array("\(objects)\n".utf8), to: "\(git.directory)/.git/objects/info/alternates")
    try git.must(["config", "core.symlinks", "false"])
    try git.must(["update-ref", "refs/heads/review", outcome.head])
    try git.must(["update-ref", "refs/heads/base", outcome.base])
    try git.must(["symbolic-ref", "HEAD", "refs/heads/review"])
    try git.must(["reset", "--quiet", "--hard"])
    for path in FleetReviewPlace.orders {
      _ = FolderRemoval.remove("\(git.directory)/\(path)")
    }
  }

  /// Files by which a repository tells agents' programs what to run and what to allow.
  private static let orders = [
    ".claude/settings.json", ".claude/settings.local.json", ".codex/config.toml",
    ".gemini/settings.json", ".mcp.json",
  ]

  /// - Returns: what stays of ``scratch``, or nil.
  @discardableResult
  public func removeCopies() -> String? { site.folder.removeReviewFolder() }

  /// Keeps a text beside the run's journal: `NAME.md`, or `NAME-2.md` where that is there.
  ///
  /// - Returns: its path.
  public func keep(_ text: String, as name: String) throws(BusError) -> String {
    let path = "\(folder.path)/\(name)"
    let all = ["\(path).md"] + (2...99).map { "\(path)-\($0).md" }
    let free = all.first { !isThere($0) } ?? all[0]
    try DurableFile.write(Array(text.utf8), to: free)
    return free
  }
}
