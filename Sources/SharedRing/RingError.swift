import CShim
import Glibc

/// What went wrong with a ring. Small; the layer above says it in a sentence.
public enum RingError: Error, Hashable, Sendable {
  /// The geometry's numbers are out of bounds or do not fit each other.
  case impossibleGeometry
  /// There is no segment of that name.
  case notFound
  /// All lanes, or all rows, are held by live processes.
  case exhausted
  /// No room in shared memory.
  case noSpace
  /// This process may have no more memory.
  case noMemory
  /// The operating system refuses access.
  case permissionDenied
  /// Something that is no file, or somebody else's file, has the segment's name.
  case squatted
  /// The segment was made by another version, boot or for another directory, and somebody lives in
  /// it.
  case incompatible(Mismatch)
  /// Somebody lives in it.
  case busy
  /// A subscription with the policy `mirror` lives: its pid, where it has announced it.
  case mirrored(process: UInt32?)
  /// A subscription made no room within its time-out: its label and pid as it announced them.
  case timedOut(label: String, process: UInt32)
  /// The wait for room was cancelled.
  case cancelled
  /// The message is larger than the ring's limit (bytes).
  case tooLarge(limit: Int)
  /// The ring holds what no participant wrote.
  case corrupt
  /// Any other failed system call.
  case system(errno: Int32)

  /// In what a segment differs from what was expected.
  public enum Mismatch: Hashable, Sendable {
    case notASegment, version, boot, geometry, path
  }

  /// The error for a code of the shim: an errno or one of its own.
  init(code: Int32) {
    self =
      switch Int(code) {
      case CONCLAVE_E_NOT_A_FILE, CONCLAVE_E_FOREIGN_OWNER: .squatted
      case CONCLAVE_E_MAGIC: .incompatible(.notASegment)
      case CONCLAVE_E_VERSION: .incompatible(.version)
      case CONCLAVE_E_BOOT: .incompatible(.boot)
      case CONCLAVE_E_GEOMETRY: .incompatible(.geometry)
      case CONCLAVE_E_PATH: .incompatible(.path)
      case CONCLAVE_E_MIRRORED: .mirrored(process: nil)
      default: RingError(errno: code)
      }
  }

  private init(errno code: Int32) {
    self =
      switch code {
      case ENOENT: .notFound
      case EAGAIN: .exhausted
      case ENOSPC, EDQUOT: .noSpace
      case ENOMEM: .noMemory
      case EACCES, EPERM, EROFS: .permissionDenied
      case EBUSY: .busy
      case EBADMSG: .corrupt
      case ECANCELED: .cancelled
      default: .system(errno: code)
      }
  }
}
