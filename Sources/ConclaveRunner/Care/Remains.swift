public import ConclaveBus
import Glibc

/// One thing that runs of plans or loops have left in a repository, or are doing there.
public struct Remains: Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A run of a plan: at work, or to be gone on with.
    case run
    /// A loop (`ralph-run`) in a worktree: likewise.
    case loop
    /// Programs at work for a run or a loop that is dead.
    case processes
    /// A worktree, and its branch, that nobody needs any more.
    case worktree
    /// A move of the branch that was cut off.
    case merge
    /// A lock whose owner is dead.
    case lock
  }

  public enum Weight: Hashable, Sendable {
    /// As it should be.
    case good
    /// Somebody wanted it so, and may go on.
    case note
    /// A process was killed, and this is what is left.
    case leftover
  }

  public let kind: Kind
  public let weight: Weight
  /// One sentence without a final full stop.
  public let message: String
  /// What a person can do: likewise, or empty.
  public let hint: String
  /// The processes that it is about.
  public let processes: [Int32]
  private let work: (@Sendable () throws(BusError) -> String)?

  init(
    _ kind: Kind, _ weight: Weight, _ message: String, hint: String = "",
    processes: [Int32] = [], clear work: (@Sendable () throws(BusError) -> String)? = nil
  ) {
    self.kind = kind
    self.weight = weight
    self.message = message
    self.hint = hint
    self.processes = processes
    self.work = work
  }

  /// Whether ``clear()`` does anything. What can be gone on with, and what may be somebody's work,
  /// is a person's to decide.
  public var isClearable: Bool { work != nil }

  /// Ends or removes it as the next run would. Blocks, up to a minute.
  ///
  /// - Returns: what was done.
  /// - Throws: `busy` when somebody is at work there now; whatever git said.
  public func clear() throws(BusError) -> String { try work?() ?? "" }

  /// Everything that there is in the repository of `directory`, in the order in which it is to be
  /// cleared. Changes nothing; blocks, since it asks git.
  ///
  /// - Returns: nothing outside of a repository.
  /// - Throws: `permissionDenied`, `corrupt`, `system`: what cannot be looked at.
  public static func find(
    in directory: String, environment: [String: String] = ProcessEnvironment.inherited()
  ) throws(BusError) -> [Remains] {
    let git: GitCommand
    do throws(BusError) {
      let here = try GitCommand(in: directory, environment: environment)
      let found = try here.run(["rev-parse", "--show-toplevel"])
      guard found.succeeded, case let top = found.output.text.dropLast(), !top.isEmpty else {
        return []
      }
      git = try GitCommand(in: String(top), environment: environment)
    } catch  where error.code == .notFound { return [] }
    let fleet = try FleetRemains(git)
    if let torn = try fleet.torn() {
      let all = torn.alsoClearing { () throws(BusError) in
        try find(in: directory, environment: environment)
      }
      return [fleet.processes, all].compactMap { $0 }
    }
    let runs = try fleet.find()
    let loops = try LoopRemains(git, besides: fleet).find()
    // A cut-off move is told by the same lock as it would be of whoever else.
    let isNamed = runs.contains { $0.kind == .merge }
    return runs + loops + (isNamed ? [] : [try indexLock(git, fleet)].compactMap { $0 })
  }

  /// The same, which also clears what cannot be seen before it is cleared.
  private func alsoClearing(
    _ rest: @escaping @Sendable () throws(BusError) -> [Remains]
  ) -> Remains {
    Remains(kind, weight, message, hint: hint, processes: processes) { () throws(BusError) in
      var words = [try clear()]
      for remains in try rest() where remains.isClearable { words.append(try remains.clear()) }
      return words.joined(separator: "; ")
    }
  }

  /// Of the worktree that is looked at, when no process has it open any more. Nobody can say whose
  /// it was, so that it is not ours to remove.
  private static func indexLock(
    _ git: GitCommand, _ fleet: FleetRemains
  ) throws(BusError) -> Remains? {
    let path = try git.must(["rev-parse", "--absolute-git-dir"]) + "/index.lock"
    guard !fleet.isHeld, isThere(path), ProcessTable.owner(ofFile: path) == nil else { return nil }
    return Remains(
      .lock, .leftover, "\(path) has no owner any more, and stops every git command that writes",
      hint: "if no git is at work there: rm \(shown(path))")
  }
}

/// `123 sleep, 124 sh`
func named(_ processes: [ProcessEntry]) -> String {
  processes.map { "\($0.pid) \(ProcessTable.name($0.pid))" }.joined(separator: ", ")
}
