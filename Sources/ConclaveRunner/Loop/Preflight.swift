import ConclaveBus

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
    // At the top of this worktree and no other: an agent may remove it.
    git = try GitCommand(in: repository.top, environment: options.environment, stop: stop)
      .elsewhere(repository.top)
    // What there is to see now is the other's work.
    try LoopLock.requireFree(place)
    resumed = try Preflight.resumed(options, place)
    try Preflight.check(repository, options, isResumed: resumed != nil)
    guard options.beginning == .resume || !options.task.trimmed.isEmpty else {
      throw BusError(.invalidPayload, "the task is empty", hint: "say what is to be done")
    }
    if options.commits {
      try git.requireIdentity(hint: "git config user.name and user.email, or use --no-commit")
    }
    tests = try TestCommand.chosen(options.testCommand, in: repository.top)
    guard tests != nil || !options.requiresTests else {
      throw BusError(
        .notFound, "no tests were found in \(shown(repository.top))",
        hint: "name a command with --test-cmd, or leave out --require-tests")
    }
    try DiskRoom.require(at: repository.top)
    var environment = options.environment
    environment[ProcessFamily.worktreeName] = repository.top
    agent = try Agent(
      options.agent, environment: environment, directory: repository.top, stop: stop)
  }

  private static func check(
    _ repository: RepositoryState, _ options: LoopOptions, isResumed: Bool
  ) throws(BusError) {
    try repository.requireCommits()
    try repository.requireBranch(allowsProtected: options.allowsProtected)
    // An agent may have been interrupted in a merge; it is told of it.
    if isResumed { return }
    try repository.requireNoOperation()
    if options.allowsDirty { return }
    try repository.requireNoChanges(
      hint: "commit or stash them (git stash -u), or use --allow-dirty")
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
