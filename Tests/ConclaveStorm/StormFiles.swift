/// What the processes of a storm work on.
struct StormFiles {
  /// The bus directory.
  let bus: String
  /// What publishers were told is in the files, as "sender number".
  let acknowledged: String
  /// What the members of the durable group did.
  let group: String
  private let folder: String

  init(_ folder: String) {
    self.folder = folder
    bus = "\(folder)/bus"
    acknowledged = "\(folder)/acknowledged"
    group = "\(folder)/group"
  }

  /// What the subscribers of a slot received.
  func runs(_ slot: Int) -> String { "\(folder)/runs.\(slot)" }
}
