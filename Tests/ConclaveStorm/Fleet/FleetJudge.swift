import BusTesting
import Glibc

/// What must be true of a world in which a run was ended. Blocks.
struct FleetJudge {
  private let world: FleetWorld
  private var files: Set<UsersFile>
  private var status: [String]
  private(set) var faults: [String] = []

  /// - Parameter world: as the user has left it, with nothing begun.
  init(_ world: FleetWorld) throws {
    self.world = world
    files = UsersFile.all(FleetScript.usersFiles, in: world)
    guard files.count == FleetScript.usersFiles.count else {
      throw SystemFailure("find the user's files", errorNumber: ENOENT)
    }
    status = try FleetPicture(world).status
  }

  mutating func fault(_ what: String) { faults.append(what) }

  /// Whether nobody is at work, or was stopped in the middle of it, so that a user's git works.
  func isCalm() throws -> Bool {
    let picture = try FleetPicture(world)
    return world.processes.isEmpty && picture.locks.isEmpty && picture.status == status
  }

  /// The user has changed files just now.
  mutating func noteEdit() throws {
    files = UsersFile.all(FleetScript.usersFiles + FleetScript.editedFiles, in: world)
    status = try FleetPicture(world).status
  }

  // MARK: Before the end

  /// A run that was asked to end is gone with everything that it has started.
  mutating func judgeOrderlyEnd() throws {
    let rest = world.processes
    if !rest.isEmpty { fault("processes are left: \(FleetWorld.lines(rest))") }
    let picture = try FleetPicture(world)
    judgeUsersWork(picture)
    if !picture.segments.isEmpty { fault("segments are left: \(picture.segments)") }
    let waves = picture.folders.filter { $0.contains("/wave-") }
    if !waves.isEmpty { fault("boards are left: \(waves)") }
    let locks = picture.locks.filter { !$0.contains("/worktrees/") }
    if !locks.isEmpty { fault("locks are left: \(locks)") }
  }

  /// A run that could not listen yet had not begun either. What it was just asking git ends by
  /// itself.
  mutating func judgeNothingBegan(_ records: Int) {
    if world.journal.count != records { fault("it died of the signal after it had begun") }
    for _ in 0..<2000 where !world.processes.isEmpty { usleep(5000) }
    let rest = world.processes
    if !rest.isEmpty { fault("processes are left: \(FleetWorld.lines(rest))") }
  }

  /// - Parameters:
  ///   - processes: that were there before the doctor looked, and after it.
  ///   - words: what the doctor has said, as JSON.
  mutating func judgeNamed(
    _ processes: Set<pid_t>, _ picture: FleetPicture, in words: String, hasRun: Bool
  ) {
    let numbers = Set(words.split { !$0.isNumber }.compactMap { pid_t($0) })
    let nameless = processes.subtracting(numbers)
    if !nameless.isEmpty { fault("the doctor does not name \(FleetWorld.lines(nameless))") }
    if hasRun, !words.contains("--resume") { fault("the doctor does not name the run") }
    // One without an owner is empty, and the next run's.
    let waves = picture.folders.filter {
      $0.contains("/wave-") && world.has("\($0)/.pid")
    }
    for path in picture.worktrees + waves {
      let name = path.split(separator: "/").last ?? ""
      if !words.contains(name) { fault("the doctor does not name \(path)") }
    }
  }

  /// After the doctor has cleared what it could.
  mutating func judgeFixed() throws {
    let rest = world.processes
    if !rest.isEmpty { fault("the doctor leaves processes: \(FleetWorld.lines(rest))") }
    let picture = try FleetPicture(world)
    judgeUsersWork(picture)
    if !picture.segments.isEmpty { fault("the doctor leaves segments: \(picture.segments)") }
    let others = picture.worktrees.filter { !$0.contains("/task-") }
    if !others.isEmpty { fault("the doctor leaves worktrees: \(others)") }
  }

  // MARK: The end

  mutating func judgeEnd(_ reference: FleetReference) throws {
    let rest = world.processes
    if !rest.isEmpty { fault("processes are left: \(FleetWorld.lines(rest))") }
    let picture = try FleetPicture(world)
    judgeUsersWork(picture)
    if picture.tree != reference.tree { fault("another tree") }
    if picture.subjects != reference.subjects { fault("other commits: \(picture.subjects)") }
    // Work that collided is kept.
    let branches = picture.branches.filter { $0 != "feature" && !$0.hasPrefix("wip/") }
    if !branches.isEmpty { fault("branches are left: \(branches)") }
    if !picture.worktrees.isEmpty { fault("worktrees are left: \(picture.worktrees)") }
    if !picture.locks.isEmpty { fault("locks are left: \(picture.locks)") }
    if !picture.folders.isEmpty { fault("directories are left: \(picture.folders)") }
    if !picture.segments.isEmpty { fault("segments are left: \(picture.segments)") }
  }

  private mutating func judgeUsersWork(_ picture: FleetPicture) {
    for file in files where UsersFile(file.path, in: world) != file {
      fault("\(file.path) was touched")
    }
    if picture.status != status { fault("other uncommitted work: \(picture.status)") }
  }
}
