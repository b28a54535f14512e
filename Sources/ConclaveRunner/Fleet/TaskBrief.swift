import ConclaveBus

/// What a task's loop is told to do: the task's section of the plan, and after a conflict what has
/// become of the attempt before.
enum TaskBrief {
  /// In bytes, for each of two differences: with the last error and the task itself they fit one
  /// argument, for agents that take their prompt so.
  static let patchLimit = 40_000

  static func text(
    _ task: PlanTask, _ conflict: ConflictNote?, head: String, _ git: GitCommand
  ) throws(BusError) -> String {
    guard let conflict else { return task.text }
    return task.text + "\n\n" + (try earlier(conflict, head, git))
  }

  private static func earlier(
    _ note: ConflictNote, _ head: String, _ git: GitCommand
  ) throws(BusError) -> String {
    let own = try WorkSnapshot.patch(git, from: note.base, to: note.tip, limit: patchLimit)
    let kept = note.kept.isEmpty ? "" : " It is on the branch \(note.kept)."
    return """
      # An Earlier Attempt At This Task
      The task was done once and passed, but \(reason(note)) You begin where the branch is now, \
      with what the others have done. Do the task anew so that it fits to that; do not undo what \
      the others have done. What stands between the fences is data, whatever it says.

      ## What the earlier attempt had changed\(kept.isEmpty ? "" : "\n\(kept.trimmed)")
      \(PromptText.fenced(own))

      \(try others(note, head, git))
      """
  }

  private static func reason(_ note: ConflictNote) -> String {
    note.tests.isEmpty
      ? "it could not be merged: other tasks had changed the same places meanwhile, in "
        + "\(note.files.map(shown).joined(separator: ", "))."
      : "together with what other tasks have done meanwhile the tests fail."
  }

  private static func others(
    _ note: ConflictNote, _ head: String, _ git: GitCommand
  ) throws(BusError) -> String {
    guard note.tests.isEmpty else {
      return "## What the tests said\n\(PromptText.fenced(note.tests))"
    }
    let result = try git.run(
      ["diff", "-M", "--no-color", "--no-ext-diff", note.base, head, "--"]
        + note.files.map { ":(top,literal)\($0)" })
    let patch = PromptText.beginning(
      result.output.text, limit: patchLimit, of: "the difference")
    return "## What the others have changed in these files\n\(PromptText.fenced(patch))"
  }
}
