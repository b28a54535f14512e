import Glibc

/// An ext4 file system in a file.
public struct LoopDisk: ~Copyable {
  public let image: String
  public let mountPoint: String

  /// Makes and mounts one, which needs root.
  public init(_ image: String, at mountPoint: String) throws {
    try LoopDisk.run(["truncate", "-s", "256M", image])
    try LoopDisk.run(["mkfs.ext4", "-q", image])
    try self.init(mounting: image, at: mountPoint)
  }

  /// Mounts what is there.
  public init(mounting image: String, at mountPoint: String) throws {
    unsafe mkdir(mountPoint, 0o700)
    try LoopDisk.run(["mount", "-o", "loop", image, mountPoint])
    self.image = image
    self.mountPoint = mountPoint
  }

  deinit { _ = try? LoopDisk.run(["umount", "-l", mountPoint]) }

  /// What is in the file just now. Nobody but the kernel may write to the disk meanwhile; when it
  /// does so, of its own accord, the copy is of no one moment, and is made again.
  public func copy(to path: String) throws {
    for _ in 0..<100 {
      let before = try writes
      try LoopDisk.run(["cp", "--sparse=always", image, path])
      if try writes == before { return }
    }
    throw SystemFailure("copy \(image) in one moment", errorNumber: EBUSY)
  }

  /// How many writes have got to the file, by `/sys/dev/block/*/stat`.
  private var writes: Substring {
    get throws {
      var status = stat()
      guard unsafe stat(mountPoint, &status) == 0 else {
        throw SystemFailure("look at \(mountPoint)")
      }
      let device = UInt64(status.st_dev)
      let (major, minor) = (device >> 8 & 0xFFF, device & 0xFF | device >> 12 & 0xFFF00)
      let text = try LoopDisk.run(["cat", "/sys/dev/block/\(major):\(minor)/stat"])
      let fields = text.split { $0 == " " || $0 == "\n" }
      guard fields.count > 4 else {
        throw SystemFailure("see how much is written to \(mountPoint)", errorNumber: ENOENT)
      }
      return fields[4]
    }
  }

  public func unmount() throws { try LoopDisk.run(["umount", mountPoint]) }

  /// Whether this process may mount one.
  public static func works() -> Bool {
    do {
      let temporary = try TemporaryDirectory()
      let disk = try LoopDisk(temporary.appending("disk.img"), at: temporary.appending("disk"))
      try disk.unmount()
      return true
    } catch { return false }
  }

  @discardableResult
  private static func run(_ words: [String]) throws -> String {
    let child = try ChildProcess(words[0], Array(words.dropFirst()))
    guard try child.wait() == .code(0) else {
      throw SystemFailure("\(words.joined(separator: " ")): \(child.standardError)")
    }
    return child.standardOutput
  }
}
