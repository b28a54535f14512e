import ConclaveBus
import Glibc

/// Looks at worktrees and tries merges, without a trace in them: no lock, no index, no branch and
/// no object of the repository is touched. What has to be written goes to a folder of the radar's
/// own.
struct RadarLook {
  private let environment: [String: String]
  private let folder: RadarFolder
  /// Of pairs, what was tried last, and what came of it.
  private var tried: [RadarPair: (trees: [String], verdict: RadarVerdict)] = [:]
  /// Of tasks that were seen.
  private var seen: [String: (task: RadarTask, paths: Set<String>)] = [:]
  /// What went wrong with a task the last time, and how often in a row something did.
  private(set) var failures: [String: (words: String, count: Int)] = [:]

  init(_ folder: RadarFolder, environment: [String: String]) {
    self.folder = folder
    self.environment = environment
  }

  /// How the tasks look now. A task that cannot be looked at, since its worktree is just being made
  /// or removed, looks as it did before.
  mutating func picture(of tasks: [RadarTask]) -> RadarPicture {
    forget(allBut: tasks)
    var picture = RadarPicture()
    for task in tasks {
      do throws(BusError) {
        seen[task.name] = (task, try touched(task))
        failures[task.name] = nil
      } catch { fail(task.name, error) }
      picture.touched[task.name] = seen[task.name]?.paths
    }
    let overlapping = Set(picture.overlaps.keys.flatMap { [$0.first, $0.second] })
    let snapshots = snapshots(of: tasks.filter { overlapping.contains($0.name) })
    // They are a little younger: what is said of both must be true at one moment.
    for (name, snapshot) in snapshots { picture.touched[name] = snapshot.paths }
    picture.verdicts = verdicts(of: picture.overlaps.keys.sorted(), snapshots)
    return picture
  }

  private mutating func forget(allBut tasks: [RadarTask]) {
    let known = Set(tasks)
    seen = seen.filter { known.contains($0.value.task) }
    failures = failures.filter { failure in tasks.contains { $0.name == failure.key } }
    tried = tried.filter { pair, _ in
      [pair.first, pair.second].allSatisfy { name in tasks.contains { $0.name == name } }
    }
  }

  private mutating func fail(_ name: String, _ error: BusError) {
    failures[name] = (error.message, (failures[name]?.count ?? 0) &+ 1)
  }

  // MARK: Changes

  /// The paths that differ from the task's base: committed or not, also of new files.
  private func touched(_ task: RadarTask) throws(BusError) -> Set<String> {
    if let branch = branchAlone(of: task) {
      return Set(try SquashMerge.changedFiles(try own(), from: task.base, to: branch))
    }
    let git = try own().elsewhere(task.worktree)
    let here = ["--", "."] + WorkSnapshot.exclusions
    let changed = try git.must(
      ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", task.base] + here)
    let new = try git.must(["ls-files", "--others", "--exclude-standard", "-z"] + here)
    return Set((changed + "\0" + new).split(separator: "\0").map(String.init))
  }

  /// The branch of a task whose work is done and whose worktree was removed.
  private func branchAlone(of task: RadarTask) -> String? {
    guard unsafe access(task.worktree, F_OK) != 0 else { return nil }
    return task.branch.map { "refs/heads/\($0)" }
  }

  /// Git with the radar's own objects, in no worktree.
  private func own() throws(BusError) -> GitCommand {
    try GitCommand(in: folder.path, environment: environment.merging(folder.environment) { $1 })
  }

  // MARK: Trial merges

  /// A worktree as it was at one moment.
  private struct Snapshot {
    let task: RadarTask
    let tree: String
    let paths: Set<String>
  }

  private mutating func snapshots(of tasks: [RadarTask]) -> [String: Snapshot] {
    var result: [String: Snapshot] = [:]
    for task in tasks {
      do throws(BusError) {
        let tree = try tree(task)
        let paths = try SquashMerge.changedFiles(try own(), from: task.base, to: tree)
        seen[task.name] = (task, Set(paths))
        result[task.name] = Snapshot(task: task, tree: tree, paths: Set(paths))
      } catch { fail(task.name, error) }
    }
    return result
  }

  private mutating func verdicts(
    of pairs: [RadarPair], _ snapshots: [String: Snapshot]
  ) -> [RadarPair: RadarVerdict] {
    for pair in pairs {
      guard let one = snapshots[pair.first], let other = snapshots[pair.second],
        tried[pair]?.trees != [one.tree, other.tree]
      else { continue }
      do throws(BusError) {
        tried[pair] = ([one.tree, other.tree], try merge(one, other))
      } catch { fail(pair.first, error) }
    }
    return tried.mapValues(\.verdict).filter { pairs.contains($0.key) }
  }

  private func tree(_ task: RadarTask) throws(BusError) -> String {
    if let branch = branchAlone(of: task) {
      return try own().must(["rev-parse", "--verify", "\(branch)^{tree}"])
    }
    let git = try own().elsewhere(task.worktree)
    return try WorkSnapshot.tree(git, folder: try folder.index(of: task.name))
  }

  private func merge(
    _ one: Snapshot, _ other: Snapshot
  ) throws(BusError) -> RadarVerdict {
    let git = try own()
    let commits = try [one, other].map { (side) throws(BusError) in
      try git.must(["commit-tree", side.tree, "-p", side.task.base, "-F", "-"], input: "trial\n")
    }
    switch try SquashMerge.commit(git, commits[1], onto: commits[0], message: "trial\n") {
    case .merged, .contained: return .merges
    case .conflict(let files): return .conflicts(files)
    }
  }
}
