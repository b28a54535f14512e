extension ExitCode {
  /// The table of the help and the README.
  static var table: String {
    helpTable(
      allCases.map { code in
        let number = String(code.rawValue)
        return (String(repeating: " ", count: 3 - number.count) + number, code.meaning)
      })
  }
}
