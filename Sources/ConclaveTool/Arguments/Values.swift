/// A time: a number, which may have a fraction, and `us`, `ms`, `s`, `m` or `h`; seconds without a
/// unit. nil for anything else, and for more than a hundred years.
func parseDuration(_ text: String) -> Duration? {
  guard let (number, unit) = splitUnit(text) else { return nil }
  let scale: Double
  switch unit {
  case "us": scale = 1e-6
  case "ms": scale = 1e-3
  case "", "s": scale = 1
  case "m": scale = 60
  case "h": scale = 3600
  default: return nil
  }
  let seconds = number * scale
  return seconds <= 100 * 366 * 86400 ? .seconds(seconds) : nil
}

/// A size in bytes: a number, which may have a fraction, and `B`, `KiB`, `MiB`, `GiB`, `kB`, `MB`
/// or `GB`; bytes without a unit. nil for anything else.
func parseByteCount(_ text: String) -> Int? {
  guard let (number, unit) = splitUnit(text) else { return nil }
  let scale: Double
  switch unit {
  case "", "B": scale = 1
  case "KiB": scale = 0x1p10
  case "MiB": scale = 0x1p20
  case "GiB": scale = 0x1p30
  case "kB": scale = 1e3
  case "MB": scale = 1e6
  case "GB": scale = 1e9
  default: return nil
  }
  return Int(exactly: (number * scale).rounded())
}

/// A whole number from 1 up.
func parseCount(_ text: String) -> Int? {
  guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
    let count = Int(text), count > 0
  else { return nil }
  return count
}

/// The digits at the start of `text` as a number, and what follows them.
private func splitUnit(_ text: String) -> (number: Double, unit: Substring)? {
  let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  // "1." and ".5" are numbers to Swift; "." and "" are not.
  guard let number = Double(digits) else { return nil }
  return (number, text[digits.endIndex...])
}
