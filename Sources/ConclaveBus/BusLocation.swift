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
  /// Who takes part in it, as whoever looked for it says.
  public let access: BusAccess

  /// Finds the bus that belongs to a working directory, without making anything.
  ///
  /// `option`, or else `BUS_DIR`, names it. Otherwise it is the nearest `.conclave/bus` from the
  /// working directory up to the top of its git worktree; or else the nearest one from the main
  /// worktree upwards; where there is none, it would be made in the main worktree. Outside of git
  /// it is the nearest one from the working directory upwards, or would be made there.
  ///
  /// So all worktrees of a repository share one bus: above its own top, a linked worktree looks
  /// where the main one looks, and not at what happens to lie above itself. On the way up only
  /// directories of the calling user count, or of those with whom `access` shares the bus.
  ///
  /// - Parameters:
  ///   - option: the directory as the caller names it; nil to have it found.
  ///   - environment: where `BUS_DIR` is looked up; nil for this process's environment.
  ///   - workingDirectory: an absolute path; nil for this process's.
  /// - Throws: `notFound` when the working directory is gone; `invalidName` for an empty `option`,
  ///   and for paths that are not UTF-8.
  public static func find(
    option: String? = nil, environment: [String: String]? = nil, workingDirectory: String? = nil,
    access: BusAccess = .user
  ) throws(BusError) -> BusLocation {
    // Asked only when needed: whoever names an absolute path may stand anywhere.
    func start() throws(BusError) -> String {
      if let workingDirectory { workingDirectory } else { try currentDirectory() }
    }
    func resolved(_ path: String) throws(BusError) -> String {
      path.hasPrefix("/") ? path : absolute(path, from: try start())
    }
    if let option {
      guard !option.isEmpty else {
        throw BusError(
          .invalidName, "the bus directory is named with an empty path",
          hint: "name a directory, or name none to have it found")
      }
      return BusLocation(try resolved(option), .option, access)
    }
    let variable =
      if let environment { environment["BUS_DIR"] } else { try variableOfProcess("BUS_DIR") }
    if let variable, !variable.isEmpty {
      return BusLocation(try resolved(variable), .environment, access)
    }
    return found(from: try start(), access)
  }

  private init(_ path: String, _ rule: Rule, _ access: BusAccess) {
    self.path = path
    self.rule = rule
    self.access = access
    exists = isDirectory(path)
  }

  private static func found(from start: String, _ access: BusAccess) -> BusLocation {
    guard let repository = GitRepository.containing(start) else {
      return nearest(from: start, access)
        ?? BusLocation(joined(start, relativePath), .workingDirectory, access)
    }
    let shared = repository.sharedDirectory
    return nearest(from: start, access, upTo: repository.worktree)
      ?? nearest(from: shared, access, rule: repository.worktree == shared ? .ancestor : .git)
      ?? BusLocation(joined(shared, relativePath), .git, access)
  }

  /// The nearest bus from `start` upwards, no further than `top`. Other users' are passed over:
  /// whoever may write above us, in /tmp say, must not decide where we speak, nor keep us from
  /// speaking.
  private static func nearest(
    from start: String, _ access: BusAccess, upTo top: String? = nil, rule: Rule = .ancestor
  ) -> BusLocation? {
    var directory: String? = start
    while let candidate = directory {
      let location = BusLocation(joined(candidate, relativePath), rule, access)
      if location.exists, access.counts(location.path) { return location }
      directory = candidate == top ? nil : parent(of: candidate)
    }
    return nil
  }
}

extension BusAccess {
  /// Whether what lies at `path` is of those who take part.
  fileprivate func counts(_ path: String) -> Bool {
    var information = stat()
    guard unsafe stat(path, &information) == 0 else { return false }
    return information.st_uid == geteuid() || group == information.st_gid
  }
}

/// - Throws: `notFound`, `invalidName`.
func currentDirectory() throws(BusError) -> String {
  guard let path = unsafe getcwd(nil, 0) else {
    let reason = unsafe String(cString: strerror(errno))
    throw BusError(
      .notFound, "the working directory cannot be determined: \(reason)",
      hint: "change to a directory that exists")
  }
  defer { unsafe free(path) }
  return try unsafe text(path, of: "the path of the working directory")
}

private func variableOfProcess(_ name: String) throws(BusError) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  return try unsafe text(value, of: "the environment variable \(name)")
}

/// Refuses what is not UTF-8 rather than repairing it, which would name another directory.
private func text(_ bytes: UnsafePointer<CChar>, of what: String) throws(BusError) -> String {
  if let text = unsafe String(validatingCString: bytes) { return text }
  throw BusError(.invalidName, "\(what) is not valid UTF-8", hint: "use a path in UTF-8")
}
