import CShim
import Glibc

extension RingLocation {
  /// Whose the segment called `name` is by its own header. For those who look after segments of
  /// which they know nothing but the name.
  ///
  /// - Returns: nil when there is none.
  /// - Throws: `squatted`, `incompatible`, `permissionDenied`, `system`: nothing that its header
  ///   says is to be believed.
  public static func written(
    in directory: String, name: String, rights: RingRights = .user
  ) throws(RingError) -> RingLocation? {
    var descriptor: Int32 = -1
    var header = conclave_segment_header()
    let nobodys = RingLocation(directory: directory, name: name, owner: "", rights: rights)
    let failure = RingSegment.open(nobodys, CONCLAVE_OBSERVE, &descriptor, &header)
    if descriptor >= 0 { close(descriptor) }
    switch Int(failure) {
    case Int(ENOENT): return nil
    // The path is compared last, when all else is right.
    case 0, CONCLAVE_E_PATH: break
    default: throw RingError(code: failure)
    }
    let length = Int(min(header.path_bytes, UInt32(CONCLAVE_MAX_PATH_BYTES)))
    let owner = unsafe withUnsafeBytes(of: header.path) { bytes in
      unsafe String(decoding: bytes.prefix(length), as: UTF8.self)
    }
    return RingLocation(directory: directory, name: name, owner: owner, rights: rights)
  }
}
