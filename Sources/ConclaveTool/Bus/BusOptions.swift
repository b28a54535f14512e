import ConclaveBus

/// Options that several commands of the group `bus` share.
extension Option {
  static let busDirectory = Option(
    "bus-dir", value: "DIR", environment: "BUS_DIR", "the bus directory")
}

extension Arguments {
  /// The bus that the options, the environment or the place name.
  func busLocation() throws -> BusLocation {
    // `text` would take the variable for the option; here it matters which one it was.
    try BusLocation.find(option: has(.busDirectory) ? text(.busDirectory) : nil)
  }
}
