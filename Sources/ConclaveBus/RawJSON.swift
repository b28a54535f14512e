/// One JSON value as it was written, byte for byte: validated once, never re-encoded.
public struct RawJSON: Hashable, Sendable {
  /// The greatest depth of nesting that is accepted.
  public static let maximumDepth = 1000

  public let bytes: [UInt8]

  /// - Throws: ``BusError/Code/invalidPayload`` unless `bytes` are exactly one JSON value (RFC
  ///   8259) in valid UTF-8, white space around it included.
  public init(_ bytes: [UInt8]) throws(BusError) {
    try unsafe RawJSON.validate(bytes.span.bytes)
    self.bytes = bytes
  }

  /// - Throws: as ``init(_:)-([UInt8])``.
  public init(_ text: String) throws(BusError) { try self.init(Array(text.utf8)) }

  /// Bytes that were validated before, for instance by the publisher whose record is being read.
  init(validated bytes: [UInt8]) { self.bytes = bytes }
}

extension RawJSON: CustomStringConvertible {
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
