public import ConclaveBus

/// What a run has merged, for whoever judges it as a whole: after the run has ended, while nobody
/// else works in the repository. Nothing that is done with it changes what was merged.
public struct FleetReviewPlace: Sendable {
  public let outcome: FleetOutcome
  /// The tasks whose work is merged, in plan order.
  public let tasks: [PlanTask]
  /// For agents: with it the next run finds and ends those that outlive this one.
  public let environment: [String: String]
  private let site: FleetSite
  private let folder: FleetRunFolder

  init(_ outcome: FleetOutcome, _ run: FleetRun) {
    self.outcome = outcome
    let merged = Set(outcome.tasks.filter { $0.status == "merged" }.map(\.id))
    tasks = run.graph.plan.tasks.filter { merged.contains($0.id) }
    environment = run.site.environment
    site = run.site
    folder = run.folder
  }

  /// Whether the branch has moved, and the run is not one to go on with.
  public var hasWork: Bool {
    switch outcome.end {
    case .completed, .failed: outcome.base != outcome.head && !tasks.isEmpty
    case .interrupted, .hindered, .stopped, .obstructed: false
    }
  }

  /// What the run has changed.
  ///
  /// - Parameter limit: the most that is shown of it, in bytes.
  public func difference(limit: Int) throws(BusError) -> ReviewDifference {
    try ReviewDifference(site.git, from: outcome.base, to: outcome.head, limit: limit)
  }

  // MARK: Files

  /// Where reviewers keep what they need: gone when they have ended.
  public var scratch: String { site.folder.reviewFolder }
  /// The merged work, in ``scratch``.
  public var tree: String { "\(scratch)/tree" }

  /// Puts all files of the merged work into ``tree``: a copy, so that no reviewer can touch what is
  /// anybody's.
  public func makeTree() throws(BusError) {
    site.folder.removeReviewFolder()
    try DurableFile.makeFolder(tree)
    let index = "\(scratch)/index"
    try site.git.must(["read-tree", outcome.head], index: index)
    try site.git.must(["checkout-index", "--all", "--force", "--prefix=\(tree)/"], index: index)
  }

  /// - Returns: what stays of ``scratch``, or nil.
  @discardableResult
  public func removeTree() -> String? { site.folder.removeReviewFolder() }

  /// Keeps a text beside the run's journal.
  ///
  /// - Returns: its path.
  public func keep(_ text: String, as name: String) throws(BusError) -> String {
    let path = "\(folder.path)/\(name)"
    try DurableFile.write(Array(text.utf8), to: path)
    return path
  }
}
