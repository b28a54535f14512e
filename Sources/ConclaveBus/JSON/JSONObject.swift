/// Builds the text of a JSON object, keys in the order in which they are added.
package struct JSONObject {
  private var members: [String] = []

  package init() {}

  /// The whole object.
  package var text: String { "{\(members.joined(separator: ","))}" }

  /// One member a line, for people.
  package var lines: String { "{\n  \(members.joined(separator: ",\n  "))\n}\n" }

  /// nil becomes null.
  package mutating func add(_ key: String, _ value: String?) {
    add(key, raw: value.map(JSONObject.quoted) ?? "null")
  }
  package mutating func add(_ key: String, _ value: some BinaryInteger) {
    add(key, raw: "\(value)")
  }
  package mutating func add(_ key: String, _ value: Bool) { add(key, raw: "\(value)") }
  package mutating func add(_ key: String, _ value: JSONObject) { add(key, raw: value.text) }
  package mutating func add(_ key: String, _ values: [JSONObject]) {
    add(key, raw: "[\(values.map(\.text).joined(separator: ","))]")
  }
  package mutating func add(_ key: String, _ values: [String]) {
    add(key, raw: "[\(values.map(JSONObject.quoted).joined(separator: ","))]")
  }
  package mutating func add(_ key: String, _ values: [some BinaryInteger]) {
    add(key, raw: "[\(values.map { "\($0)" }.joined(separator: ","))]")
  }
  package mutating func addNull(_ key: String) { add(key, raw: "null") }

  /// A number with at most `digits` digits behind the point; nil and what is not finite become
  /// null.
  package mutating func add(_ key: String, _ value: Double?, digits: Int = 3) {
    guard let value, value.isFinite else { return addNull(key) }
    add(key, raw: decimal(value, digits: digits))
  }

  /// `{"key":object}` with a line feed.
  package static func line(_ key: String, _ object: JSONObject) -> String {
    var outer = JSONObject()
    outer.add(key, object)
    return outer.text + "\n"
  }

  private static func quoted(_ text: String) -> String {
    String(decoding: JSONString.encoded(text), as: UTF8.self)
  }

  private mutating func add(_ key: String, raw: String) {
    members.append("\(JSONObject.quoted(key)):\(raw)")
  }
}

/// `value` with exactly `digits` digits behind the point, rounded.
package func decimal(_ value: Double, digits: Int) -> String {
  let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
  let scaled = (value.magnitude * scale).rounded()
  guard let whole = UInt64(exactly: scaled) else { return "\(value)" }
  let sign = value < 0 && whole > 0 ? "-" : ""
  guard digits > 0 else { return "\(sign)\(whole)" }
  let text = String(whole)
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  return "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
}
