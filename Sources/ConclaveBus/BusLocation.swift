import Glibc

/// Which directory is the bus, and by which rule it was found.
public struct BusLocation: Hashable, Sendable {
  /// The rules, first match first.
  public enum Rule: String, Hashable, Sendable, CaseIterable {
    /// The caller named it.
    case option
    /// The environment variable `BUS_DIR` names it.
    case environment
    /// It lies in the working directory or above it.
    case ancestor
    /// It lies, or would lie, in the main worktree of the git repository.
    case git
    /// There is none yet: it would lie in the working directory.
    case workingDirectory
  }

  /// Where a bus lies below the directory that it belongs to.
  public static let relativePath = ".conclave/bus"

  /// Absolute; not necessarily free of symbolic links.
  public let path: String
  public let rule: Rule
  /// Whether there is a directory at `path`.
  public let exists: Bool

  /// Finds the bus that belongs to a working directory, without making anything.
  ///
  /// `option`, or else `BUS_DIR`, names it. Otherwise it is the nearest `.conclave/bus` from the working
  /// directory up to the top of its git worktree; or else the one in the main worktree, so that all
  /// worktrees of a repository share one bus; or else the nearest one above the worktree. Where there
  /// is none, it would be made in the main worktree, and outside of git in the working directory.
  ///
  /// The climb stops at the top of the worktree first because a bus in, say, the home directory must
  /// not come before the one that the other worktrees use.
  ///
  /// - Parameters:
  ///   - environment: where `BUS_DIR` is looked up; nil for this process's environment.
  ///   - workingDirectory: an absolute path; nil for this process's.
  /// - Throws: `notFound` when the working directory is gone, `invalidName` for an empty `option`.
  public static func find(
    option: String? = nil, environment: [String: String]? = nil, workingDirectory: String? = nil
  ) throws(BusError) -> BusLocation {
    let start = if let workingDirectory { workingDirectory } else { try currentDirectory() }
    if let option {
      guard !option.isEmpty else {
        throw BusError(
          .invalidName, "the bus directory is named with an empty path",
          hint: "name a directory, or name none to have it found")
      }
      return BusLocation(absolute(option, from: start), .option)
    }
    let variable = environment.map { $0["BUS_DIR"] } ?? variableOfProcess("BUS_DIR")
    if let variable, !variable.isEmpty {
      return BusLocation(absolute(variable, from: start), .environment)
    }
    return found(from: start)
  }

  private init(_ path: String, _ rule: Rule) {
    self.path = path
    self.rule = rule
    exists = isDirectory(path)
  }

  private static func found(from start: String) -> BusLocation {
    func bus(in directory: String, _ rule: Rule) -> BusLocation {
      BusLocation(joined(directory, relativePath), rule)
    }
    let repository = GitRepository.containing(start)
    var directory: String? = start
    while let candidate = directory {
      let location = bus(in: candidate, .ancestor)
      if location.exists { return location }
      if let repository, candidate == repository.worktree {
        let shared = bus(in: repository.sharedDirectory, .git)
        if shared.exists { return shared }
      }
      directory = parent(of: candidate)
    }
    return repository.map { bus(in: $0.sharedDirectory, .git) }
      ?? bus(in: start, .workingDirectory)
  }
}

private func currentDirectory() throws(BusError) -> String {
  guard let path = unsafe getcwd(nil, 0) else {
    throw BusError(
      .notFound, "the working directory cannot be determined: \(systemErrorText(errno))",
      hint: "change to a directory that exists")
  }
  defer { unsafe free(path) }
  return unsafe String(cString: path)
}

private func variableOfProcess(_ name: String) -> String? {
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
