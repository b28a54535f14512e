import BusTesting
import Glibc
import StepTracer

/// The bytes of a segment, as anybody may look at them, and what of them was seen last.
@safe
final class StepSegment {
  private let bytes: UnsafeRawBufferPointer
  private var sight = unsafe step_sight()

  init(_ path: String) throws {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard unsafe file >= 0 && fstat(file, &status) == 0 else { throw SystemFailure("open \(path)") }
    defer { close(file) }
    let length = Int(status.st_size)
    guard let start = unsafe mmap(nil, length, PROT_READ, MAP_SHARED, file, 0),
      unsafe start != MAP_FAILED
    else { throw SystemFailure("map \(path)") }
    unsafe bytes = UnsafeRawBufferPointer(start: start, count: length)
    let now = unsafe start.assumingMemoryBound(to: UInt8.self)
    let seen = unsafe step_segment_seen(now)
    let before = UnsafeMutablePointer<UInt8>.allocate(capacity: Int(seen))
    unsafe before.initialize(from: now, count: Int(seen))
    unsafe sight = step_sight(now: now, before: before, bytes: seen)
  }

  deinit {
    unsafe sight.before.deallocate()
    unsafe munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }

  /// What a mirror can write.
  func withSight<R>(_ body: (UnsafePointer<step_sight>) throws -> R) rethrows -> R {
    try unsafe withUnsafePointer(to: sight, body)
  }

  /// All of it, as that of another bus directory, and how far its mirror says it is.
  func copy(for path: String) -> (bytes: [UInt8], mirrored: UInt64) {
    var copy = unsafe Array(bytes)
    let mirrored = unsafe step_segment_mirrored(copy)
    unsafe step_segment_move(&copy, path)
    return (copy, mirrored)
  }
}
