/// Why some bytes are not JSON, and where.
struct JSONFlaw: Error, Hashable, Sendable {
  enum Reason: String, Hashable, Sendable {
    case missingValue = "a value is missing"
    case unexpectedByte = "no value begins like this"
    case missingKey = "a key in double quotes is missing"
    case missingColon = "a colon is missing after a key"
    case missingCommaOrBrace = "a comma or } is missing"
    case missingCommaOrBracket = "a comma or ] is missing"
    case unterminatedString = "a string has no end"
    case controlCharacter = "a control character in a string is not escaped"
    case badEscape = "an escape sequence is malformed"
    case badUTF8 = "a string is not valid UTF-8"
    case badNumber = "a number is malformed"
    case tooDeep = "the nesting is deeper than 1000"
    case trailingBytes = "something follows the value"
  }

  let reason: Reason
  /// Index of the first byte that cannot be right, counted from 0; the length when the end came
  /// early.
  let offset: Int
}

extension JSONFlaw: CustomStringConvertible {
  var description: String { "\(reason.rawValue) at byte \(offset)" }
}
