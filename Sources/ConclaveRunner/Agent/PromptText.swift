/// Texts of others, as parts of a prompt.
package enum PromptText {
  /// Between fences that are longer than any in it.
  package static func fenced(_ text: String) -> String {
    var longest = 2
    var run = 0
    for byte in text.utf8 {
      run = byte == UInt8(ascii: "`") ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: longest + 1)
    return "\(fence)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)"
  }

  /// At most `limit` bytes of its beginning, and a line that says how much of `what` is missing.
  package static func beginning(_ text: String, limit: Int, of what: String) -> String {
    guard text.utf8.count > limit else { return text }
    let start = String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    return start + "\n[... \(text.utf8.count - limit) bytes of \(what) omitted ...]\n"
  }
}
