import ConclaveBus
import Glibc

/// A path of a checkout on the disk, as bytes: never through a symbolic link, which would lead out
/// of the checkout.
struct CheckoutPath {
  enum Kind { case nothing, folder, file, other }

  private let top: [UInt8]
  let path: GitPath

  init(_ path: GitPath, in top: String) {
    self.top = Array(top.utf8)
    self.path = path
  }

  /// What is there. Below anything but a directory there is nothing.
  var kind: Kind {
    for end in path.indices where path[end] == UInt8(ascii: "/") {
      guard CheckoutPath.kind(absolute(path[..<end])) == .folder else { return .nothing }
    }
    return CheckoutPath.kind(absolute(path[...]))
  }

  /// Whether something other than a directory is where its parents have to be.
  var isBlocked: Bool {
    for end in path.indices where path[end] == UInt8(ascii: "/") {
      switch CheckoutPath.kind(absolute(path[..<end])) {
      case .nothing: return false
      case .folder: continue
      case .file, .other: return true
      }
    }
    return false
  }

  func remove() { _ = unsafe unlink(absolute(path[...])) }

  func removeFolder() { _ = unsafe rmdir(absolute(path[...])) }

  /// Removes the directories that it was in, as far as they are empty.
  func removeEmptyParents() {
    for end in path.indices.reversed() where path[end] == UInt8(ascii: "/") {
      let parent = CheckoutPath(Array(path[..<end]), in: String(decoding: top, as: UTF8.self))
      guard parent.kind == .folder, unsafe rmdir(absolute(path[..<end])) == 0 else { return }
    }
  }

  /// The regular file there, to read, or nil.
  func open() -> OwnedFile? {
    guard kind == .file else { return nil }
    let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    let file = OwnedFile(unsafe Glibc.open(absolute(path[...]), flags))
    return file.number >= 0 ? file : nil
  }

  private func absolute(_ path: ArraySlice<UInt8>) -> [CChar] {
    (top + [UInt8(ascii: "/")] + path + [0]).map { CChar(bitPattern: $0) }
  }

  private static func kind(_ path: [CChar]) -> Kind {
    var information = stat()
    guard unsafe lstat(path, &information) == 0 else { return .nothing }
    return switch information.st_mode & S_IFMT {
    case S_IFDIR: .folder
    case S_IFREG: .file
    default: .other
    }
  }
}
