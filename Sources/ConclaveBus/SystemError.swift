import Glibc

extension BusError {
  /// A transport that keeps no files is asked for a time in the past.
  static let noPast = BusError(
    .unsupported, "this transport does not know when its messages were published",
    hint: "begin with now, the beginning or an id, or use a bus with files")

  /// A failed system call: `doing` names the operation ("open", "lock") and `path` the thing.
  ///
  /// Reads `errno` unless it is given, so call it before anything else can change it.
  static func system(_ doing: String, _ path: String, errno code: Int32 = errno) -> BusError {
    let reason = unsafe String(cString: strerror(code))
    return BusError(
      kind(of: code), "cannot \(doing) \(quotedForError(path)): \(reason)", hint: advice(for: code))
  }

  private static func kind(of code: Int32) -> Code {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: .noSpace
    case EACCES, EPERM, EROFS: .permissionDenied
    case ENOENT: .notFound
    case ENOMEM, EMFILE, ENFILE: .exhausted
    default: .system
    }
  }

  private static func advice(for code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "free some space on that file system"
    case EFBIG: "raise the file size limit (ulimit -f) or remove old topic files"
    case EROFS: "choose a directory on a writable file system"
    case EMFILE: "raise the limit of open files (ulimit -n)"
    case EACCES, EPERM: "use a directory that belongs to you"
    default: ""
    }
  }
}
