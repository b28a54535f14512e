import ConclaveBus

/// What lies in shared memory, whichever bus it belongs to.
enum SegmentChecks {
  static func run() -> [Finding] {
    do throws(BusError) {
      let segments = try SharedMemoryBus.segments()
      let findings = segments.compactMap(finding)
      guard findings.isEmpty else { return findings }
      let bytes = segments.reduce(0) { $0 &+ $1.reservedBytes }
      return [.ok("segments", "\(segments.count) of this user, \(readableBytes(bytes))")]
    } catch {
      return [.error("segments", error)]
    }
  }

  private static func finding(_ segment: SegmentListing) -> Finding? {
    if let failure = segment.failure {
      // Of whichever bus: that of this directory is looked at for itself.
      return .warning(
        "a segment", "\(segment.path): \(failure.message)",
        hint: "if nobody uses it: rm \(segment.path)")
    }
    guard segment.isOrphan else { return nil }
    let words =
      "\(segment.path) (\(readableBytes(segment.reservedBytes))) is of "
      + "\(quoted(segment.directory ?? "?")), which is gone"
    guard segment.unmirrored == 0 else {
      // It may have been moved, or its file system is not mounted just now.
      return .warning(
        "a segment", "\(words), and has messages that are in no file",
        hint: "if that directory will not come back: rm \(segment.path)")
    }
    return .warning("a segment", words, hint: "conclave doctor --fix removes it") {
      try SharedMemoryBus.removeOrphan(segment)
      return "removed \(segment.path)"
    }
  }
}
