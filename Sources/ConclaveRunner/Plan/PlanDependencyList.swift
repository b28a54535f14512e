/// `None`, `Task 1, Task 2`, `Tasks 1, 2 and 3`, `1-3`; with remarks in parentheses anywhere.
struct PlanDependencyList {
  private enum Token: Equatable {
    case number(Int)
    case word(String)
    case separator
    case dash
  }

  private static let hint = "write None, or Task 1, Task 2, or 1-3, and remarks in parentheses"

  private let tokens: [Token]
  private var next = 0
  private var ids: [Int] = []
  private let limit: Int

  /// The numbers, as written.
  ///
  /// - Parameter limit: how many there may be.
  static func read(_ text: String, limit: Int) throws(PlanMistake) -> [Int] {
    let plain = try PlanRemarks.removed(from: text)
      .filter { !"*_`[]".contains($0) }.trimmed
    if try saysNone(plain) { return [] }
    var list = PlanDependencyList(tokens: try tokens(plain), limit: limit)
    try list.readAll()
    return list.ids
  }

  private init(tokens: [Token], limit: Int) {
    self.tokens = tokens
    self.limit = limit
  }

  private static func saysNone(_ text: Substring) throws(PlanMistake) -> Bool {
    let words = text.lowercased()
    if ["-", "–", "—", "n/a", "nothing", "no"].contains(words) { return true }
    guard words.hasPrefix("none"), !(words.dropFirst(4).first?.isLetter ?? false) else {
      return false
    }
    guard !words.contains(where: \.isNumber) else {
      throw PlanMistake("this says None, and names tasks", hint: hint)
    }
    return true
  }

  private static func tokens(_ text: Substring) throws(PlanMistake) -> [Token] {
    var tokens: [Token] = []
    var rest = text.last == "." ? text.dropLast() : text
    while let first = rest.first {
      if first.isASCII, first.isNumber {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest[digits.endIndex...]
        guard digits.count <= 9, let number = Int(digits) else {
          throw PlanMistake("the number of a task has at most nine digits", hint: hint)
        }
        if rest.first == ".", rest.dropFirst().first?.isNumber == true {
          throw PlanMistake("the numbers of tasks are whole", hint: "number them 1, 2, 3")
        }
        tokens.append(.number(number))
      } else if first.isLetter {
        let word = rest.prefix(while: \.isLetter)
        rest = rest[word.endIndex...]
        tokens.append(word.lowercased() == "and" ? .separator : .word(word.lowercased()))
      } else {
        rest = rest.dropFirst()
        switch first {
        case ",", ";", "&", "+": tokens.append(.separator)
        case "-", "–", "—": tokens.append(.dash)
        case _ where first.isWhitespace || first == "#": break
        default: throw PlanMistake("\(shown(String(first))) has no meaning here", hint: hint)
        }
      }
    }
    return tokens
  }

  private mutating func readAll() throws(PlanMistake) {
    repeat {
      let first = try number()
      guard isRange() else {
        try add(first...first)
        continue
      }
      next += 1
      let last = try number()
      guard first <= last else {
        throw PlanMistake("\(first)-\(last) runs backwards", hint: "write \(last)-\(first)")
      }
      try add(first...last)
    } while try hasMore()
  }

  private func isRange() -> Bool {
    guard next < tokens.count else { return false }
    return [.dash, .word("to"), .word("through")].contains(tokens[next])
  }

  private mutating func add(_ range: ClosedRange<Int>) throws(PlanMistake) {
    // At most nine digits: no overflow.
    guard ids.count + range.count <= limit else {
      throw PlanMistake("these are too many tasks", hint: "name those that it waits for last")
    }
    ids += range
  }

  /// A number, with or without the word before it.
  private mutating func number() throws(PlanMistake) -> Int {
    if next < tokens.count, [.word("task"), .word("tasks")].contains(tokens[next]) { next += 1 }
    guard next < tokens.count else {
      throw PlanMistake("a task is missing at the end", hint: PlanDependencyList.hint)
    }
    guard case .number(let number) = tokens[next] else { throw wrong(tokens[next]) }
    next += 1
    return number
  }

  /// Whether separators follow; something must, unless this is the end.
  private mutating func hasMore() throws(PlanMistake) -> Bool {
    guard next < tokens.count else { return false }
    guard tokens[next] == .separator else { throw wrong(tokens[next]) }
    while next < tokens.count, tokens[next] == .separator { next += 1 }
    return true
  }

  private func wrong(_ token: Token) -> PlanMistake {
    let words =
      switch token {
      case .number(let number): "\(number)"
      case .word(let word): shown(word)
      case .separator: "a separator"
      case .dash: "a dash"
      }
    return PlanMistake("\(words) is not expected here", hint: PlanDependencyList.hint)
  }
}

/// Remarks in parentheses.
enum PlanRemarks {
  /// The text without them; what stands in backticks is no remark.
  static func removed(from text: String) throws(PlanMistake) -> String {
    var depth = 0
    var isCode = false
    var kept = ""
    for character in text {
      if character == "`", depth == 0 { isCode.toggle() }
      if character == "(", !isCode { depth += 1 }
      if depth == 0 { kept.append(character) }
      if character == ")", !isCode { depth = max(0, depth - 1) }
    }
    guard depth == 0 else { throw PlanMistake("a parenthesis is never closed", hint: "close it") }
    return kept
  }
}
