public import ConclaveBus
import Glibc

/// Where a loop's files are. Three lie in the worktree, under the names of the original; the rest,
/// which nobody needs to see, in the worktree's git directory.
public struct LoopPlace: Hashable, Sendable {
  /// The top of the worktree.
  public let top: String
  /// `.git/conclave-ralph`, or the same in a linked worktree's git directory.
  let folder: String

  static let stateName = ".ralph_state.json"

  var stateFile: String { "\(top)/\(LoopPlace.stateName)" }
  var lockFile: String { "\(top)/.ralph.lock" }
  var contextFile: String { "\(top)/.ralph_context.md" }
  /// Its existence asks the loop to stop at the next gate.
  var stopFile: String { "\(folder)/stop" }
  /// What a person adds to the context.
  var addedFile: String { "\(folder)/added-context.md" }

  /// The whole output of a gate, as far as it was kept.
  func logFile(_ iteration: Int, _ gate: String) -> String { "\(folder)/\(iteration)-\(gate).log" }

  init(_ repository: RepositoryState) {
    self.init(top: repository.top, gitDirectory: repository.gitDirectory)
  }

  init(top: String, gitDirectory: String) {
    self.top = top
    folder = "\(gitDirectory)/conclave-ralph"
  }

  /// The place for the worktree that `directory` is in.
  ///
  /// - Throws: `notFound` outside of a repository.
  public init(
    containing directory: String,
    environment: [String: String] = ProcessEnvironment.inherited()
  ) throws(BusError) {
    self.init(try RepositoryState.of(directory, environment: environment))
  }

  /// The state that the last loop has left, or nil.
  public func readState() throws(BusError) -> LoopState? {
    try DurableFile.read(stateFile).map { bytes throws(BusError) in try LoopState(json: bytes) }
  }

  func write(_ state: LoopState) throws(BusError) {
    try DurableFile.write(Array(state.json.utf8), to: stateFile)
  }

  func remove(_ path: String) { unsafe unlink(path) }

  func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}
