package import ConclaveBus

/// A JSON value taken apart: for answers of agents and files of some kilobytes, not for messages.
package enum JSONTree: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONTree])
  case object([String: JSONTree])

  /// - Throws: `invalidPayload` unless `bytes` are exactly one JSON value, at most 100 deep.
  package init(_ bytes: [UInt8]) throws(BusError) {
    var reader = JSONTreeReader(bytes: try RawJSON(bytes).bytes)
    self = try reader.value(depth: 0)
  }

  /// The value at a path of keys joined by dots, or nil.
  package subscript(path: String) -> JSONTree? {
    path.split(separator: ".").reduce(self as JSONTree?) { value, key in
      guard case .object(let members)? = value else { return nil }
      return members[String(key)]
    }
  }

  package var text: String? { if case .string(let text) = self { text } else { nil } }
  var double: Double? { if case .number(let digits) = self { Double(digits) } else { nil } }
  package var int: Int? { double.flatMap { Int(exactly: $0.rounded()) } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSONTree]? { if case .array(let values) = self { values } else { nil } }
  var strings: [String]? {
    guard let array else { return nil }
    let texts = array.compactMap(\.text)
    return texts.count == array.count ? texts : nil
  }

  /// Whether it says yes: not null, false, zero or empty.
  var isTrue: Bool {
    switch self {
    case .null, .bool(false), .string(""), .number("0"): false
    default: true
    }
  }
}

/// Reads what `RawJSON` has found to be valid, so that every byte is what the grammar says.
private struct JSONTreeReader {
  let bytes: [UInt8]
  var position = 0

  private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func skipSpace() {
    while [0x20, 0x0A, 0x0D, 0x09].contains(next) { position += 1 }
  }

  mutating func value(depth: Int) throws(BusError) -> JSONTree {
    guard depth < 100 else {
      throw BusError(.invalidPayload, "the JSON is nested deeper than 100", hint: "write less")
    }
    skipSpace()
    defer { skipSpace() }
    switch next {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(string())
    case UInt8(ascii: "t"): return literal(4, .bool(true))
    case UInt8(ascii: "f"): return literal(5, .bool(false))
    case UInt8(ascii: "n"): return literal(4, .null)
    default: return number()
    }
  }

  private mutating func literal(_ length: Int, _ value: JSONTree) -> JSONTree {
    position += length
    return value
  }

  private mutating func number() -> JSONTree {
    let start = position
    while position < bytes.count, "+-.0123456789eE".utf8.contains(next) { position += 1 }
    if position == start { position += 1 }
    return .number(String(decoding: bytes[start..<min(position, bytes.count)], as: UTF8.self))
  }

  private mutating func array(_ depth: Int) throws(BusError) -> JSONTree {
    var values: [JSONTree] = []
    position += 1
    skipSpace()
    while position < bytes.count, next != UInt8(ascii: "]") {
      values.append(try value(depth: depth + 1))
      if next == UInt8(ascii: ",") { position += 1 }
    }
    position += 1
    return .array(values)
  }

  private mutating func object(_ depth: Int) throws(BusError) -> JSONTree {
    var members: [String: JSONTree] = [:]
    position += 1
    skipSpace()
    while position < bytes.count, next != UInt8(ascii: "}") {
      skipSpace()
      let key = string()
      skipSpace()
      position += 1
      members[key] = try value(depth: depth + 1)
      if next == UInt8(ascii: ",") { position += 1 }
    }
    position += 1
    return .object(members)
  }

  private mutating func string() -> String {
    let start = position + 1
    position = start
    while position < bytes.count, next != UInt8(ascii: "\"") {
      position += next == UInt8(ascii: "\\") ? 2 : 1
    }
    let end = min(position, bytes.count)
    position = end + 1
    var text: [UInt8] = []
    JSONString.appendDecoded(Array(bytes[min(start, end)..<end]), to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}
