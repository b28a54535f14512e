import Glibc

/// What the kernel tells in files (proc(5)), for people: nothing where it cannot be read.
package enum SystemFiles {
  /// - Parameter limit: more than this many bytes are not read, but for the rest of a piece.
  package static func text(_ path: String, limit: Int = 1 << 22) -> String {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return "" }
    let file = OwnedDescriptor(number)
    var (all, piece) = ([UInt8](), [UInt8](repeating: 0, count: min(limit, 1 << 16)))
    while all.count < limit {
      let count = unsafe read(file.number, &piece, piece.count)
      guard count > 0 else { break }
      all += piece.prefix(count)
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// The names in a directory, in no order.
  static func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var found: [String] = []
    while let entry = unsafe readdir(stream) {
      found.append(
        unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
          unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return found
  }
}
