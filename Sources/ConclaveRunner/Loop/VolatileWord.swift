/// Words of error messages that differ from run to run.
enum VolatileWord {
  /// `word` itself, or what stands for its kind. A lone number comes back with `#` behind it, since
  /// only the next word, a unit, can say that it is a duration.
  static func replaced(_ word: Substring, after previous: String) -> String {
    let core = word.drop { "([{<\"'=,;".contains($0) }
    let bare = Substring(String(core.reversed().drop { ")]}>\"',;:.".contains($0) }.reversed()))
    if isTime(bare) { return "<time>" }
    if isDuration(bare) { return "<duration>" }
    if isTemporaryPath(bare) { return "<temporary>" }
    if isIdentifier(bare) { return "<id>" }
    let tag = previous.lowercased()
    if bare.allSatisfy(\.isNumber), !bare.isEmpty,
      ["pid", "pid:", "process", "thread", "tid", "port"].contains(where: tag.hasSuffix)
    {
      return "<number>"
    }
    if let replaced = assignment(word) { return replaced }
    if word.hasPrefix("=="), word.hasSuffix("=="),
      word.dropFirst(2).dropLast(2).allSatisfy(\.isNumber)
    {
      return "<number>"
    }
    let clean = withoutAddresses(word)
    return isNumber(bare) && clean == word ? "\(word)#" : clean
  }

  /// A word that makes the number before it a duration.
  static func isUnit(_ word: Substring) -> Bool {
    let bare = word.lowercased().filter { $0.isLetter || $0 == "µ" }
    return [
      "ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "milliseconds", "min",
      "minutes", "m",
    ].contains(bare)
  }

  private static func isNumber(_ word: Substring) -> Bool {
    !word.isEmpty && word.first?.isNumber == true && word.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// `12:34`, `12:34:56.789`, `2026-11-21`, `2026-11-21T12:34:56Z`.
  private static func isTime(_ word: Substring) -> Bool {
    guard word.count >= 5, word.first?.isNumber == true else { return false }
    let shape = word.prefix(10).map { $0.isNumber ? "d" : String($0) }.joined()
    if shape.hasPrefix("dddd-dd-dd") || shape.hasPrefix("dddd/dd/dd") { return true }
    // `file.swift:12:34` begins with a letter, `12:34:` alone is likely a time.
    return shape.hasPrefix("dd:dd")
      && word.allSatisfy { $0.isNumber || ":.,+-Z".contains($0) }
  }

  /// `0.12s`, `3ms`, `1m2s`, `1.5e-05s`.
  private static func isDuration(_ word: Substring) -> Bool {
    guard word.first?.isNumber == true, word.last?.isLetter == true else { return false }
    var rest = word
    while let first = rest.first {
      guard first.isNumber else { return false }
      rest = rest.drop { $0.isNumber || $0 == "." }
      if rest.hasPrefix("e-") { rest = rest.dropFirst(2).drop(while: \.isNumber) }
      let unit = rest.prefix { $0.isLetter }
      guard isUnit(unit) || unit == "h" else { return false }
      rest = rest.dropFirst(unit.count)
    }
    return true
  }

  private static func isTemporaryPath(_ word: Substring) -> Bool {
    ["/tmp/", "/var/tmp/", "/private/", "/var/folders/", "/dev/shm/", "/run/user/"].contains {
      word.contains($0)
    }
  }

  /// UUIDs, and hexadecimal words of 12 digits and more with both digits and letters.
  private static func isIdentifier(_ word: Substring) -> Bool {
    let digits = word.filter { $0 != "-" }
    return digits.count >= 12 && digits.allSatisfy(\.isHexDigit)
      && digits.contains(where: \.isNumber)
      && digits.contains(where: \.isLetter)
  }

  /// `time="0.12"`, `pid=123`, `duration:5`.
  private static func assignment(_ word: Substring) -> String? {
    guard let sign = word.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
    let key = word[..<sign].lowercased()
    let changing = ["time", "duration", "elapsed", "pid", "tid", "port", "seed", "timestamp"]
    guard changing.contains(where: key.hasSuffix) else { return nil }
    let value = word[word.index(after: sign)...].filter { !"\"'".contains($0) }
    return value.first?.isNumber == true ? "\(key)=<number>" : nil
  }

  /// `0x7ffe12` anywhere in the word becomes `0x`.
  private static func withoutAddresses(_ word: Substring) -> String {
    var result = ""
    var rest = word
    while let range = rest.firstRange(of: "0x") {
      result += rest[..<range.upperBound]
      rest = rest[range.upperBound...].drop(while: \.isHexDigit)
    }
    return result + rest
  }
}
