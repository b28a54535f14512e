import ConclaveBus

/// Removes the segments of bus directories that lay in `path` and are gone: a segment outlives the
/// directory that it is named after.
///
/// - Returns: whether none is left.
@discardableResult
package func removeSegments(leftBy path: String) -> Bool {
  let segments = ((try? SharedMemoryBus.segments()) ?? []).filter {
    $0.directory == path || $0.directory?.hasPrefix(path + "/") == true
  }
  return segments.allSatisfy { (try? SharedMemoryBus.removeOrphan($0)) == true }
}
