import ConclaveBus

extension AgentConfiguration.PromptRoute {
  /// How many bytes a prompt may have on this way; nil for as many as there are. Linux takes
  /// 131,072 bytes for one argument (MAX_ARG_STRLEN), with the zero at its end.
  package var limit: Int? { self == .argument ? 131_071 : nil }
}

extension Agent {
  /// - Throws: `messageTooLarge` when the prompt does not get to the agent on its way.
  func requireFitting(_ prompt: String) throws(BusError) {
    guard let limit = configuration.prompt.limit, prompt.utf8.count > limit else { return }
    throw BusError(
      .messageTooLarge,
      "the prompt for the agent \(configuration.name) has \(prompt.utf8.count) bytes, and an "
        + "argument at most \(limit)",
      hint: #"write "prompt": "stdin", or "file", into the agent's description"#)
  }

  /// The reviewer's prompt, with as much of the difference as fits: beyond 200,000 bytes, or what
  /// the way of the prompt takes, a line says how much is missing. Without any difference it may
  /// still be too long.
  func reviewPrompt(_ task: String, patch: String) -> String {
    var room = 200_000
    while true {
      let shown = PromptText.beginning(patch, limit: room, of: "the difference")
      let prompt = LoopPrompt.spec(task, patch: shown)
      let excess = prompt.utf8.count - (configuration.prompt.limit ?? .max)
      if excess <= 0 || room == 0 { return prompt }
      // What is cut may be shorter than the room; a cut character is replaced by a longer one, and
      // the line that says what is missing was not there before.
      room = max(0, min(room, patch.utf8.count) - excess - 100)
    }
  }
}
