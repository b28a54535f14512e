/// `text` without what would move a terminal's cursor: what programs and plans say may hold
/// anything.
func printable(_ text: String) -> String {
  text.unicodeScalars.map { scalar in
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
      ? scalar.escaped(asASCII: true) : "\(scalar)"
  }.joined()
}
