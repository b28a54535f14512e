/// Builds the text of a JSON object, keys in the order in which they are added.
struct JSONObject {
  private var members = ""

  /// The whole object.
  var text: String { "{\(members)}" }

  mutating func add(_ key: String, _ value: String) { add(key, raw: jsonString(value)) }
  mutating func add(_ key: String, _ value: some BinaryInteger) { add(key, raw: "\(value)") }
  mutating func add(_ key: String, _ value: Bool) { add(key, raw: value ? "true" : "false") }
  mutating func add(_ key: String, _ value: JSONObject) { add(key, raw: value.text) }
  mutating func add(_ key: String, _ values: [JSONObject]) {
    add(key, raw: "[\(values.map(\.text).joined(separator: ","))]")
  }
  mutating func add(_ key: String, _ values: [String]) {
    add(key, raw: "[\(values.map(jsonString).joined(separator: ","))]")
  }
  mutating func add(_ key: String, _ values: [some BinaryInteger]) {
    add(key, raw: "[\(values.map { "\($0)" }.joined(separator: ","))]")
  }
  mutating func addNull(_ key: String) { add(key, raw: "null") }

  /// A number with at most `digits` digits behind the point; nil and what is not finite become
  /// null.
  mutating func add(_ key: String, _ value: Double?, digits: Int = 3) {
    guard let value, value.isFinite else { return addNull(key) }
    add(key, raw: decimal(value, digits: digits))
  }

  /// `{"key":object}` with a line feed.
  static func line(_ key: String, _ object: JSONObject) -> String {
    var outer = JSONObject()
    outer.add(key, object)
    return outer.text + "\n"
  }

  private mutating func add(_ key: String, raw: String) {
    if !members.isEmpty { members += "," }
    members += "\(jsonString(key)):\(raw)"
  }
}

/// `text` between quotes, with the escapes that JSON wants.
private func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case _ where scalar.value < 0x20:
      let hexadecimal = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

/// `value` with exactly `digits` digits behind the point, rounded.
func decimal(_ value: Double, digits: Int) -> String {
  let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
  let scaled = (value.magnitude * scale).rounded()
  guard let whole = UInt64(exactly: scaled) else { return "\(value)" }
  let sign = value < 0 && whole > 0 ? "-" : ""
  guard digits > 0 else { return "\(sign)\(whole)" }
  let text = String(whole)
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  return "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
}
