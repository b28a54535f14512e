public import ConclaveBus

/// The boards on which the tasks of a wave tell each other what they find: the seam to the bus. A
/// run without boards has ``none``.
///
/// None of the closures throws, since work must not fail because something could not be said. They
/// may block for a short while.
public struct FleetBoard: Sendable {
  /// Before everything else: clears away what a run that was killed has left, and says what that
  /// was.
  public var clear: @Sendable () -> [String] = { [] }
  /// Before a wave's first task: makes its board, and puts onto it what the waves before have left.
  /// A run without waves has one, number 0. nil when there is no board. What is said on it is told
  /// from then on, on any thread.
  public var begin:
    @Sendable (
      _ run: SessionName, _ wave: Int, _ onFinding: @escaping @Sendable (Finding) -> Void
    ) -> FleetBoardPlace? = { _, _, _ in nil }
  /// Says something to the tasks of the wave that is going on, as `sender`.
  public var post: @Sendable (_ finding: Finding) -> Void = { _ in }
  /// After a wave's last task has ended. Idempotent.
  public var end: @Sendable () -> Void = {}

  /// What somebody says on a board.
  public struct Finding: Hashable, Sendable {
    public var sender: String
    /// `discovery`, `warning`, `intent` or `context`.
    public var kind: String
    public var text: String
    /// What it is about: the sender's last note about it counts.
    public var about: String?
    /// The only task that it is for.
    public var recipient: String?
    /// How long it counts; zero takes back what was said about the same.
    public var lifetime: Duration?
    /// Whether the sender has not said it, but was seen to do it.
    public var isObserved = false

    public init(sender: String, kind: String, text: String) {
      self.sender = sender
      self.kind = kind
      self.text = text
    }
  }

  public init() {}

  public static let none = FleetBoard()
}
