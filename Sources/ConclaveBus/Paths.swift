import Glibc

/// `path` as an absolute path, seen from `directory`.
func absolute(_ path: String, from directory: String) -> String {
  path.hasPrefix("/") ? path : joined(directory, path)
}

func joined(_ directory: String, _ name: String) -> String {
  directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
}

/// The directory that holds `path`, or nil for the root.
func parent(of path: String) -> String? {
  guard path != "/", let slash = path.lastIndex(of: "/") else { return nil }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// `path` without symbolic links and `..`, or unchanged when it does not exist.
func canonical(_ path: String) -> String {
  guard let real = unsafe realpath(path, nil) else { return path }
  defer { unsafe free(real) }
  return unsafe String(cString: real)
}

func isDirectory(_ path: String) -> Bool {
  var information = stat()
  return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
}

/// Whether what lies at `path` belongs to the user of this process.
func ownsFile(_ path: String) -> Bool {
  var information = stat()
  return unsafe stat(path, &information) == 0 && information.st_uid == geteuid()
}

/// The text of a small regular file (at most 1 MiB of UTF-8), or nil.
func contents(ofFile path: String) -> String? {
  // Without O_NONBLOCK a FIFO in the place of the file would stop us here.
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var information = stat()
  guard unsafe fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
    information.st_size <= 1 << 20
  else { return nil }
  var bytes = [UInt8](repeating: 0, count: Int(information.st_size))
  let count = unsafe bytes.withUnsafeMutableBytes { buffer in
    unsafe read(descriptor, buffer.baseAddress, buffer.count)
  }
  guard count >= 0 else { return nil }
  return String(validating: bytes.prefix(count), as: UTF8.self)
}
