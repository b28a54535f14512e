/// Writes JSON, keys in the order in which they are added.
struct JSONText {
  private var members: [String] = []

  /// The whole object.
  var text: String { "{\(members.joined(separator: ","))}" }

  /// One member a line, for people.
  var lines: String { "{\n  \(members.joined(separator: ",\n  "))\n}\n" }

  mutating func add(_ key: String, _ value: String?) {
    add(key, raw: value.map(JSONText.quoted) ?? "null")
  }
  mutating func add(_ key: String, _ value: Int) { add(key, raw: "\(value)") }
  mutating func add(_ key: String, _ value: Bool) { add(key, raw: "\(value)") }
  mutating func add(_ key: String, _ value: Double) {
    add(key, raw: value.isFinite ? "\(value)" : "null")
  }
  mutating func add(_ key: String, _ values: [JSONText]) {
    add(key, raw: "[\(values.map(\.text).joined(separator: ","))]")
  }
  mutating func add(_ key: String, _ values: [String]) {
    add(key, raw: "[\(values.map(JSONText.quoted).joined(separator: ","))]")
  }
  private mutating func add(_ key: String, raw: String) {
    members.append("\(JSONText.quoted(key)):\(raw)")
  }

  /// `text` between quotes, with the escapes that JSON wants.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
