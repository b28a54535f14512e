import ConclaveBus

/// Agents in one process. Returns what the reader was told.
func talkWithinOneProcess() async throws -> [String] {
  // README: begin
  let bus = ChannelBus()
  let notes = try bus.subscribe("board")  // the topic board and everything below it
  let reader = Task {
    var heard: [String] = []
    for try await delivery in notes {
      switch delivery {
      case .envelope(let note): heard.append("\(note.sender) \(note.seq): \(note.payload)")
      case .gap(let gap): heard.append("\(gap.count) of \(gap.sender) are missing")
      }
    }
    return heard
  }
  let note = Message(type: "note", sender: "task-1", payload: try RawJSON(#"{"text":"hello"}"#))
  try await bus.publish(note, to: Topic("board.wave-0"))
  bus.close()  // the loop above ends after what is buffered
  let heard = try await reader.value
  // README: end
  return heard
}
