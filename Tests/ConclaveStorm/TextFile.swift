import Glibc

enum TextFile {
  /// The whole file, or what can be read of it.
  ///
  /// - Parameter last: only so many bytes at the end.
  static func read(_ path: String, last: Int? = nil) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    if let last {
      let size = lseek(file, 0, SEEK_END)
      lseek(file, max(0, size - off_t(last)), SEEK_SET)
    }
    var (all, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = unsafe Glibc.read(file, &piece, piece.count)
      guard count > 0 else { break }
      all += piece.prefix(count)
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// In bytes; 0 when there is no such file.
  static func size(_ path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Where a link leads, or nothing.
  static func link(_ path: String) -> String {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &target, target.count)
    return String(
      decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
