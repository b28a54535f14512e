import ConclaveRunner

/// What an agent stands for, in two or three sentences: what the others of a debate are told of it.
public struct Thesis: Hashable, Sendable {
  public let agent: String
  public let text: String

  /// The heading under which agents are asked to say it themselves.
  static let mark = "THESIS:"
  /// As long as three long sentences; what is longer is cut between words.
  static let lengthLimit = 800

  init(agent: String, text: String) {
    self.agent = agent
    self.text = Thesis.shortened(text)
  }

  /// The paragraph behind the last line that begins with the mark, bold or not; nil without one.
  static func stated(in text: String) -> String? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(\.trimmed)
    guard let place = lines.lastIndex(where: { plain($0).hasPrefix(mark) }) else { return nil }
    let first = plain(lines[place]).dropFirst(mark.count).trimmed
    var said = [String(first)].filter { !$0.isEmpty }
    for line in lines[(place + 1)...] {
      if line.isEmpty, !said.isEmpty { break }
      if !line.isEmpty { said.append(String(line)) }
    }
    return said.isEmpty ? nil : said.joined(separator: " ")
  }

  private static func plain(_ line: some StringProtocol) -> String {
    String(line.drop { "#*_ ".contains($0) }).replacing("**", with: "").replacing("__", with: "")
  }

  /// The first three sentences of the prose: no headings, no code.
  static func beginning(of text: String) -> String {
    var prose: [Substring] = []
    var isCode = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.trimmed
      if line.hasPrefix("```") || line.hasPrefix("~~~") {
        isCode.toggle()
      } else if !isCode, !line.isEmpty, !line.hasPrefix("#") {
        prose.append(line)
      }
    }
    return sentences(prose.joined(separator: " ")).prefix(3).joined(separator: " ")
  }

  /// Abbreviations that no sentence ends with.
  private static let abbreviations: Set<String> = [
    "e.g.", "i.e.", "cf.", "vs.", "etc.", "approx.", "no.", "fig.", "mr.", "mrs.", "dr.", "st.",
  ]

  /// A sentence ends with a word that ends with a point, a question or an exclamation mark: names
  /// of files and versions have theirs inside. Neither abbreviations nor the numbers of a list end
  /// one.
  static func sentences(_ text: String) -> [String] {
    var result: [String] = []
    var words: [Substring] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      words.append(word)
      let bare = word.reversed().drop { "\"')*_`]".contains($0) }
      guard let last = bare.first, ".!?".contains(last) else { continue }
      let plain = String(bare.reversed()).lowercased().drop { "(\"'".contains($0) }
      let isNumber = words.count == 1 && plain.dropLast().allSatisfy(\.isNumber)
      if abbreviations.contains(String(plain)) || isNumber { continue }
      result.append(words.joined(separator: " "))
      words = []
    }
    if !words.isEmpty { result.append(words.joined(separator: " ")) }
    return result
  }

  private static func shortened(_ text: String) -> String {
    guard text.count > lengthLimit else { return text }
    let start = text.prefix(lengthLimit)
    let end = start.lastIndex(where: \.isWhitespace) ?? start.endIndex
    return "\(start[..<end]) [...]"
  }
}
