import CShim
import Glibc

/// What the kernel says of the file system that a path lies on.
struct FileSystem {
  /// Bytes, and files, that this user may still write.
  let free: UInt64
  let freeFiles: UInt64
  let total: UInt64
  /// See statfs(2).
  private let kind: Int64

  /// nil with `errno` set.
  init?(of path: String) {
    var system = statvfs()
    kind = unsafe conclave_file_system_kind(path)
    guard kind >= 0, unsafe statvfs(path, &system) == 0 else { return nil }
    let block = UInt64(system.f_frsize)
    free = UInt64(system.f_bavail).multipliedSaturating(by: block)
    total = UInt64(system.f_blocks).multipliedSaturating(by: block)
    // Some have no limit and say 0 of 0.
    freeFiles = system.f_files == 0 ? .max : UInt64(system.f_favail)
  }

  var isMemory: Bool { kind == 0x0102_1994 || kind == 0x8584_58F6 }

  /// The name of a network file system, on which locks and order of writes are not what they are on
  /// this host's own.
  var networkName: String? {
    switch kind {
    case 0x6969: "NFS"
    case 0x517B, 0xFE53_4D42, 0xFF53_4D42: "SMB"
    case 0x0102_1997: "9p"
    case 0x00C3_6400: "Ceph"
    case 0x6573_5546: "FUSE"
    default: nil
    }
  }
}

extension UInt64 {
  fileprivate func multipliedSaturating(by other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
