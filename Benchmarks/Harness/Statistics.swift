/// The median; of an even number the mean of the two in the middle.
func middle(of values: [Double]) -> Double {
  guard !values.isEmpty else { return .nan }
  let sorted = values.sorted()
  let half = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/// `value` with so many digits behind the point that three or four count.
func readable(_ value: Double) -> String {
  guard value.isFinite else { return "-" }
  switch value.magnitude {
  case 100_000...: return grouped(value)
  case 100...: return decimal(value, digits: value == value.rounded() ? 0 : 1)
  case 0: return "0"
  case ..<0.1: return decimal(value, digits: 4)
  default: return decimal(value, digits: 2)
  }
}

/// A whole number with commas between the thousands.
private func grouped(_ value: Double) -> String {
  let digits = decimal(value, digits: 0)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// `value`, which is not negative, with exactly `digits` digits behind the point, rounded.
func decimal(_ value: Double, digits: Int) -> String {
  let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
  guard let whole = UInt64(exactly: (value * scale).rounded()) else { return "\(value)" }
  guard digits > 0 else { return String(whole) }
  let text = String(whole)
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
}
