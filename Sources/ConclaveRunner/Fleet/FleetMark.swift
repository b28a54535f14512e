import CShim
import Glibc

/// Environment variables by which the programs of a run of a plan are known.
enum FleetMark {
  /// Names the run's repository, for everything that works on a task: what a run that was killed
  /// has left is found by it and ended.
  static let member = "CONCLAVE_FLEET"
  /// The same for the run's own git commands, which are not ended but waited for: they are short,
  /// and one that moves the branch must not be cut in two.
  static let git = "CONCLAVE_FLEET_GIT"
  /// The number of the process whose end is the end of a loop, too.
  static let parent = "CONCLAVE_FLEET_PARENT"
}

/// For commands that another process may have started as part of its own work.
public enum ParentProcess {
  /// Sees to it that this process is asked to end (SIGHUP) when the one ends that has started it,
  /// however that ends; if it has asked for that, which an environment variable says. Call first
  /// of all.
  ///
  /// SIGHUP, since it may come more than once: with each thread of the other process that dies.
  ///
  /// - Returns: false when that process has ended already.
  public static func follow() -> Bool {
    guard let text = unsafe getenv(FleetMark.parent),
      let parent = pid_t(unsafe String(cString: text))
    else { return true }
    _ = conclave_child_follow_parent(SIGHUP)
    return getppid() == parent
  }
}
