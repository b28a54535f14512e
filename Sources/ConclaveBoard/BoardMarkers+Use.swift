extension BoardMarkers {
  /// What tells an agent how to write notes, for its prompt. Give the same prompt to
  /// ``init(in:prompt:)``, so that an agent that repeats it posts nothing.
  public static let instructions = """
    If you find out something that other tasks on this project should know, say so in your final
    message, each in a sentence or two, with these marks, outside of code blocks:

    <!-- BUS:discovery -->a fact that helps others<!-- /BUS -->
    <!-- BUS:warning -->a pitfall that you met<!-- /BUS -->
    <!-- BUS:intent -->what you are about to change, such as a file's path<!-- /BUS -->

    Leave out what only concerns this task.

    """

  /// What is to be posted: everything when the gate was passed; of an attempt that failed its
  /// warnings alone, as provisional, since a pitfall is one for the others as well, but what seemed
  /// to be a fact may be why it failed.
  public func notes(passed: Bool) -> [BoardNote] {
    markers.compactMap { marker in
      guard passed || marker.kind == .warning else { return nil }
      // A marker's text is neither empty nor too long.
      return try? BoardNote(marker.kind, marker.text, isProvisional: !passed)
    }
  }
}
