import ConclaveBus
import Glibc

/// The git command in one worktree: found once, without the caller's environment of git, never
/// asking on a terminal, without hooks unless a commit is made for the user.
struct GitCommand: Sendable {
  /// The absolute path of the worktree.
  let directory: String
  let program: String
  private(set) var environment: [String: String]
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
    try run(arguments, index: index, withHooks: withHooks, bytes: Array(input.utf8))
  }

  /// The same with an input that need not be UTF-8, as paths need not.
  ///
  /// - Parameter limit: how many bytes of the output are kept at least.
  func run(
    _ arguments: [String], index: String? = nil, withHooks: Bool = false, bytes: [UInt8],
    limit: Int = 1 << 22
  ) throws(BusError) -> ChildResult {
    var options = ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.quotePath=false"]
    if !withHooks { options += ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"] }
    var request = ChildRequest(
      program, options + arguments, environment: environment, directory: directory)
    request.environment["GIT_INDEX_FILE"] = index
    request.input = bytes
    request.outputLimit = limit
    request.timeLimit = .seconds(withHooks ? 1800 : 300)
    // Nothing is left behind without hooks and maintenance; looking for it takes longer than git.
    request.endsLeftovers = withHooks
    // What cleans up after a signal needs git as well; but a filter or a file system may hang.
    request.stopPatience = .seconds(withHooks ? 0 : 5)
    return try ChildRun.run(request, stop: stop)
  }

  /// The same git at the top of another worktree, and in no other one: where there is none, it does
  /// not take the one around it for it, which is the user's.
  func elsewhere(_ top: String) throws(BusError) -> GitCommand {
    var environment = environment
    environment["GIT_CEILING_DIRECTORIES"] = String(
      top[..<(top.lastIndex(of: "/") ?? top.startIndex)])
    for name in ["GIT_DIR", "GIT_WORK_TREE"] { environment[name] = nil }
    return try GitCommand(in: top, environment: environment, stop: stop)
  }

  /// The same git for a directory that is no worktree: its files as if they were the repository's.
  ///
  /// - Parameter gitDirectory: absolute.
  func adopting(_ folder: String, gitDirectory: String) throws(BusError) -> GitCommand {
    var environment = environment
    environment["GIT_DIR"] = gitDirectory
    environment["GIT_WORK_TREE"] = folder
    return try GitCommand(in: folder, environment: environment, stop: stop)
  }

  /// The same git with one more setting, whose name may have any characters, unlike with `-c`.
  func configured(_ key: String, _ value: String) -> GitCommand {
    var copy = self
    let count = max(0, environment["GIT_CONFIG_COUNT"].flatMap { Int($0) } ?? 0)
    copy.environment["GIT_CONFIG_COUNT"] = "\(count &+ 1)"
    copy.environment["GIT_CONFIG_KEY_\(count)"] = key
    copy.environment["GIT_CONFIG_VALUE_\(count)"] = value
    return copy
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
    guard result.exit == .code(1) else { throw failure(arguments, result) }
    return nil
  }

  /// The output, which there must be.
  @discardableResult
  func must(
    _ arguments: [String], index: String? = nil, input: String = ""
  ) throws(BusError) -> String {
    let result = try run(arguments, index: index, input: input)
    guard result.succeeded else { throw failure(arguments, result) }
    let text = result.output.text
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// The branch that is checked out, without `refs/heads/`; nil when HEAD is detached. What git
  /// calls the short name is another one where a tag has the same.
  func branch() throws(BusError) -> String? {
    try ask(["symbolic-ref", "--quiet", "HEAD"]).map(GitCommand.branch)
  }

  static func branch(_ reference: String) -> String {
    let prefix = "refs/heads/"
    return reference.hasPrefix(prefix) ? String(reference.dropFirst(prefix.count)) : reference
  }

  /// What a command has said that failed.
  func failure(_ arguments: [String], _ result: ChildResult) -> BusError {
    let words = result.errors.text.split(whereSeparator: \.isNewline)
    let reason = words.last { $0.contains("fatal:") || $0.contains("error:") } ?? words.last ?? ""
    let name = arguments.first { !$0.hasPrefix("-") } ?? ""
    let isFull = self.isFull(result.errors.text)
    return BusError(
      isFull ? .noSpace : .system, "git \(name) failed with \(result.words): \(shown(reason))",
      hint: isFull ? "make room on that file system" : "run it by hand to see more")
  }

  /// The same, with what stands in the way of this user told apart.
  func hindrance(_ arguments: [String], _ result: ChildResult) -> BusError {
    let error = failure(arguments, result)
    guard error.code == .system else { return error }
    let lines = result.errors.text.split(whereSeparator: \.isNewline)
    let signs = [
      "Permission denied", "Operation not permitted", "Read-only file system",
      "insufficient permission",
    ]
    let isRefused = lines.contains { line in
      !line.hasPrefix("warning:") && signs.contains { line.contains($0) }
    }
    return isRefused
      ? BusError(
        .permissionDenied, error.message, hint: "check whose it is, and its permissions")
      : BusError(.system, error.message, hint: "mend what git names")
  }

  /// Git does not always say why it could not write.
  private func isFull(_ errors: String) -> Bool {
    if errors.contains("No space left on device") || errors.contains("Disk quota exceeded") {
      return true
    }
    return errors.contains("writ") && (DiskRoom.free(at: directory) ?? .max) < 1 << 18
  }
}
