/// What a loop tells other tasks and hears from them: the seam to a bulletin board. A loop without
/// one has ``none``.
///
/// All closures are called on the loop's thread and may block for a short while; none may throw,
/// since work must not fail because a message could not be said.
public struct LoopBoard: Sendable {
  /// What the prompt says about how to write markers, or empty.
  public var instructions = ""
  /// At the start of an iteration: notes of other tasks, rendered as data, or empty. The
  /// fingerprint is of the error that is being worked on, or empty.
  public var read: @Sendable (_ iteration: Int, _ fingerprint: String) -> String = { _, _ in "" }
  /// After a gate that judges the work, so never before the tests, if there are any: the agent's
  /// final text of this iteration. When the iteration failed or was ended at this gate, whichever
  /// it is, `passed` is false, and only what is worth a provisional warning should be published.
  /// The same text comes after each gate of an iteration: whoever publishes leaves out what it has
  /// published.
  ///
  /// `told` is what the agent was told, and what it repeats of that is nothing that it has found
  /// out. The output of earlier gates is left out of it, since the agent's own words stand there.
  public var publish:
    @Sendable (_ finalText: String, _ told: String, _ gate: LoopGate, _ passed: Bool) -> Void = {
      _, _, _, _ in
    }
  /// The agent says that it needs a person.
  public var askForHelp: @Sendable (_ reason: String) -> Void = { _ in }
  /// All gates have passed after errors with these fingerprints: what was changed, in a few lines.
  public var recordFix: @Sendable (_ fingerprints: [String], _ digest: String) -> Void = { _, _ in }

  public init() {}

  public static let none = LoopBoard()
}
