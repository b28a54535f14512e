import Glibc

/// The environment that programs are given.
public enum ProcessEnvironment {
  /// This process's own, without what would lead git, called by the program, to another repository.
  public static func inherited() -> [String: String] {
    var result: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    for name in misleading { result[name] = nil }
    return result
  }

  /// What git sets for its hooks: a loop that is started from one must not follow it. And what a
  /// run of a plan says to its own programs alone.
  private static let misleading = [
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_CEILING_DIRECTORIES",
    FleetMark.parent, FleetMark.git,
  ]
}
