import BusTesting
import ConclaveBus
import Glibc

/// The names and the contents of a directory's files, as they are at one moment.
struct StepFiles: Equatable {
  var contents: [String: [UInt8]] = [:]

  init() {}

  init(reading path: String) throws {
    guard let stream = unsafe opendir(path) else { throw SystemFailure("opendir \(path)") }
    defer { unsafe closedir(stream) }
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { contents[name] = try StepFiles.read("\(path)/\(name)") }
    }
  }

  func write(to path: String) throws {
    for (name, bytes) in contents { try StepFiles.write(bytes, to: "\(path)/\(name)") }
  }

  /// What there would be if the last write, which has made these of `before`, had ended sooner: the
  /// kernel writes page by page, and somebody who is killed may get no further.
  func torn(since before: StepFiles) -> [StepFiles] {
    var states: [StepFiles] = []
    for (name, bytes) in contents.sorted(by: { $0.key < $1.key }) {
      // One that comes with contents has got another name.
      guard let old = before.contents[name], bytes.count > old.count, bytes.starts(with: old)
      else { continue }
      let added = bytes.count - old.count
      let places = Set([1, added / 3, added / 2, added - 1]).filter { $0 > 0 && $0 < added }
      for kept in places.sorted() {
        var state = self
        state.contents[name] = Array(bytes.prefix(old.count + kept))
        states.append(state)
      }
    }
    return states
  }

  // MARK: Files

  static func makeDirectory(_ path: String) throws {
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw SystemFailure("mkdir \(path)")
    }
  }

  static func read(_ path: String) throws -> [UInt8] {
    let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw SystemFailure("open \(path)") }
    defer { close(file) }
    var (all, piece) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 14))
    while true {
      let count = unsafe Glibc.read(file, &piece, piece.count)
      guard count >= 0 else { throw SystemFailure("read \(path)") }
      if count == 0 { return all }
      all += piece.prefix(count)
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemFailure("make \(path)") }
    defer { close(file) }
    guard unsafe bytes.isEmpty || Glibc.write(file, bytes, bytes.count) == bytes.count else {
      throw SystemFailure("write \(path)")
    }
  }
}
