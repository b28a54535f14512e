import CShim

/// The list of one publisher's numberings in its lane; see ``RingStreams`` for those who read it.
///
/// Independent of publishing, but one thread at a time, as `mutating` says.
@safe
public struct RingStreamList: ~Copyable, Sendable {
  /// The publisher's; used by this value for adding alone, which nothing else does.
  private nonisolated(unsafe) let raw: UnsafeMutablePointer<conclave_publisher>

  /// One numbering within the lane.
  @safe
  public struct Stream: Sendable {
    /// Into the lane, which outlives no publisher; touched by its publisher alone.
    @usableFromInline
    nonisolated(unsafe) let entry: OpaquePointer?

    /// A stream that subscribers cannot look up.
    public static var unlisted: Stream { unsafe Stream(entry: nil) }

    /// Whether subscribers that lose messages can look it up.
    public var isListed: Bool { unsafe entry != nil }
  }

  init(_ raw: UnsafeMutablePointer<conclave_publisher>) { unsafe self.raw = raw }

  /// Lists a numbering under `key`, so that subscribers who lose all of its messages can still tell
  /// which they were. When the lane has no room for it, the stream is simply not listed.
  public mutating func add(key: [UInt8]) -> Stream {
    unsafe Stream(
      entry: conclave_stream_add_opaque(raw, key, UInt32(truncatingIfNeeded: key.count)))
  }
}
