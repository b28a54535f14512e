import ConclaveBus
import Glibc

/// Everything that can be known to fail before anything is changed.
struct Preflight {
  let repository: RepositoryState
  let place: LoopPlace
  let git: GitCommand
  let agent: Agent
  let tests: TestCommand?
  /// The state to go on from, with `--resume`.
  let resumed: LoopState?

  init(_ options: LoopOptions, _ stop: StopSignal) throws(BusError) {
    repository = try RepositoryState.of(options.directory, environment: options.environment)
    place = LoopPlace(repository)
    git = try GitCommand(in: repository.top, environment: options.environment, stop: stop)
    resumed = try Preflight.resumed(options, place)
    try Preflight.check(repository, options, isResumed: resumed != nil)
    guard options.beginning == .resume || !options.task.trimmed.isEmpty else {
      throw BusError(.invalidPayload, "the task is empty", hint: "say what is to be done")
    }
    if options.commits { try Preflight.checkIdentity(git) }
    if let command = options.testCommand {
      tests = TestCommand(origin: "--test-cmd", command: ["/bin/sh", "-c", command])
    } else {
      tests = try TestCommand.detect(in: repository.top)
    }
    guard tests != nil || !options.requiresTests else {
      throw BusError(
        .notFound, "no tests were found in \(shown(repository.top))",
        hint: "name a command with --test-cmd, or leave out --require-tests")
    }
    try Preflight.checkRoom(repository.top)
    var environment = options.environment
    environment[ProcessFamily.worktreeName] = repository.top
    agent = try Agent(
      options.agent, environment: environment, directory: repository.top, stop: stop)
  }

  private static func check(
    _ repository: RepositoryState, _ options: LoopOptions, isResumed: Bool
  ) throws(BusError) {
    guard repository.head != nil else {
      throw BusError(
        .notFound, "the repository has no commits yet",
        hint: "commit something first, so that there is something to compare with")
    }
    guard let branch = repository.branch else {
      throw BusError(
        .unsupported, "HEAD is detached: no branch would have the work",
        hint: "git switch -c a-branch")
    }
    guard options.allowsProtected || !["main", "master"].contains(branch) else {
      throw BusError(
        .unsupported, "the branch \(branch) is protected",
        hint: "git switch -c a-branch, or use --allow-protected")
    }
    if let operation = repository.operation {
      throw BusError(
        .unsupported, "\(operation) is under way", hint: "finish or abort it first")
    }
    if let first = repository.changes.first, !isResumed, !options.allowsDirty {
      let count = repository.changes.count
      let others = count > 1 ? " and \(count - 1) more" : ""
      throw BusError(
        .unsupported, "there are changes that are not committed: \(shown(first))\(others)",
        hint: "commit or stash them (git stash -u), or use --allow-dirty")
    }
  }

  private static func checkIdentity(_ git: GitCommand) throws(BusError) {
    guard try !git.run(["var", "GIT_COMMITTER_IDENT"]).succeeded else { return }
    throw BusError(
      .notFound, "git does not know who commits",
      hint: "git config user.name and user.email, or use --no-commit")
  }

  private static func checkRoom(_ path: String) throws(BusError) {
    var system = statvfs()
    guard unsafe statvfs(path, &system) == 0 else { return }
    let (free, overflow) = UInt64(system.f_bavail).multipliedReportingOverflow(
      by: UInt64(system.f_frsize))
    guard overflow || free >= 16 << 20 else {
      throw BusError(
        .noSpace, "less than 16 MiB are free at \(shown(path))",
        hint: "make room on that file system")
    }
    guard unsafe access(path, W_OK) == 0 else { throw systemError("write in \(shown(path))") }
  }

  /// The state to go on from; or nil to begin anew.
  private static func resumed(
    _ options: LoopOptions, _ place: LoopPlace
  ) throws(BusError) -> LoopState? {
    if options.beginning == .fresh { return nil }
    guard let state = try place.readState(), state.status != .passed else {
      guard options.beginning == .usual else {
        throw BusError(
          .notFound, "there is no unfinished loop in \(shown(place.top))",
          hint: "begin one with --task")
      }
      return nil
    }
    let name = options.taskID ?? state.taskID
    if options.beginning == .resume {
      let isSame = options.task.isEmpty || options.task == state.task
      guard name == state.taskID, isSame else {
        throw BusError(
          .busy, "the unfinished loop is of another task, \(shown(state.taskID))",
          hint: "leave out --task and --task-id to resume it, or begin anew with --fresh")
      }
      let limit = options.maxIterations ?? state.maxIterations
      guard (state.attempts.last?.iteration ?? 0) < limit else {
        throw BusError(
          .unsupported, "the \(limit) iterations of the unfinished loop are used up",
          hint: "allow more with --max-iterations, or begin anew with --fresh")
      }
      return state
    }
    // Work of a killed or failed loop is somebody's until they say otherwise.
    throw BusError(
      .busy,
      "a loop of task \(shown(state.taskID)) has not passed: \(state.status.rawValue) in iteration "
        + "\(state.iteration) of \(state.maxIterations)",
      hint: "go on with --resume, or begin anew with --fresh")
  }
}
