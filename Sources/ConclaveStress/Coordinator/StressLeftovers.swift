import ConclaveBus
import Glibc

/// What runs that were killed have left behind: their directories and segments.
enum StressLeftovers {
  /// Removes those whose coordinator and workers are all dead. What is in doubt stays.
  ///
  /// Dead is a coordinator whose lock on the directory the kernel has given back, and a worker
  /// whose locks on the bus it has; only directories of this user that are called and look like a
  /// run's own are touched, and of what is in them only what a run makes.
  static func sweep() {
    let parent = TemporaryDirectory.parent
    guard let stream = unsafe opendir(parent) else { return }
    defer { unsafe closedir(stream) }
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
        unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      }
      if TemporaryDirectory.isName(name, of: StressRun.purpose) { sweep("\(parent)/\(name)") }
    }
  }

  private static func sweep(_ path: String) {
    // Its owner holds this lock from just after the directory's making until its end. One that
    // has not come so far finds the directory gone, or the lock taken, and makes another.
    guard let lock = DirectoryLock(path) else { return }
    defer { lock.release() }
    do throws(BusError) {
      let directory = try BusDirectory(opening: path, create: false)
      let files = try FileBus.status(of: directory)
      guard files.allSatisfy({ $0.topic.name == StressNames.topic }) else { return }
      try FileBus.checkUnused(directory)
      _ = try SharedMemoryBus.clean(directory)
      _ = try FileBus.clean(directory)
    } catch {
      // A worker that has yet to notice that its coordinator is gone: another time.
      return
    }
    for name in [
      ".filebus.lock", ".mirror.lock", ".mirror.chains", ".mirror.base",
    ] {
      unsafe unlink("\(path)/\(name)")
    }
    // Stays when there is anything else in it.
    unsafe rmdir(path)
  }
}
