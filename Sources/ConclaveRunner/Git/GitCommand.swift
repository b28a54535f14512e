import ConclaveBus
import Glibc

/// The git command in one worktree: found once, without the caller's environment of git, never
/// asking on a terminal, without hooks unless a commit is made for the user.
struct GitCommand: Sendable {
  /// The absolute path of the worktree.
  let directory: String
  let program: String
  let environment: [String: String]
  let stop: StopSignal?

  /// - Throws: `notFound` without git.
  init(
    in directory: String, environment: [String: String], stop: StopSignal? = nil
  ) throws(BusError) {
    self.directory = directory
    self.stop = stop
    program = try Executable.find("git", environment: environment, directory: directory)
    // What would change the meaning of arguments, or what is said; configuration is the user's.
    var own = environment.filter { entry in
      !["GIT_TRACE", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS"].contains(where: entry.key.hasPrefix)
        && !entry.key.hasSuffix("_PATHSPECS")
    }
    own["GIT_TERMINAL_PROMPT"] = "0"
    own["GIT_OPTIONAL_LOCKS"] = "0"
    own["LC_ALL"] = "C"
    self.environment = own
  }

  /// Runs it.
  ///
  /// - Parameters:
  ///   - index: another index file than the worktree's.
  ///   - withHooks: whether the repository's hooks run.
  func run(
    _ arguments: [String], index: String? = nil, withHooks: Bool = false, input: String = ""
  ) throws(BusError) -> ChildResult {
    var options = ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.quotePath=false"]
    if !withHooks { options += ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"] }
    var request = ChildRequest(
      program, options + arguments, environment: environment, directory: directory)
    request.environment["GIT_INDEX_FILE"] = index
    request.input = Array(input.utf8)
    request.timeLimit = .seconds(withHooks ? 1800 : 300)
    // Nothing is left behind without hooks and maintenance; looking for it takes longer than git.
    request.endsLeftovers = withHooks
    return try ChildRun.run(request, stop: withHooks ? stop : nil)
  }

  /// The output without the line feed at its end, or nil when git says no (exit code 1).
  ///
  /// - Throws: `system` with git's own words for any other failure.
  func ask(_ arguments: [String], index: String? = nil) throws(BusError) -> String? {
    let result = try run(arguments, index: index)
    if result.succeeded {
      let text = result.output.text
      return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
    guard result.exit == .code(1) else { throw GitCommand.failure(arguments, result) }
    return nil
  }

  /// The output, which there must be.
  @discardableResult
  func must(
    _ arguments: [String], index: String? = nil, input: String = ""
  ) throws(BusError) -> String {
    let result = try run(arguments, index: index, input: input)
    guard result.succeeded else { throw GitCommand.failure(arguments, result) }
    let text = result.output.text
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  static func failure(_ arguments: [String], _ result: ChildResult) -> BusError {
    let words = result.errors.text.split(whereSeparator: \.isNewline)
    let reason = words.last { $0.contains("fatal:") || $0.contains("error:") } ?? words.last ?? ""
    let name = arguments.first { !$0.hasPrefix("-") } ?? ""
    let isFull = result.errors.text.contains("No space left on device")
    return BusError(
      isFull ? .noSpace : .system, "git \(name) failed with \(result.words): \(shown(reason))",
      hint: isFull ? "make room on that file system" : "run it by hand to see more")
  }
}
