import ConclaveBus
import ConclaveStress
import Glibc

/// Whether this host can carry a bus at all.
enum HostChecks {
  static func run() -> [Finding] {
    [sharedMemory(), roundTrip()] + limits() + [changeEvents()] + [logout()].compactMap { $0 }
  }

  // MARK: Shared memory

  private static func sharedMemory() -> Finding {
    let (subject, path) = ("shared memory", "/dev/shm")
    guard let system = FileSystem(of: path) else {
      return .error(
        subject, "\(path): \(errorText(errno))", hint: "mount -t tmpfs -o mode=1777 tmpfs \(path)")
    }
    guard unsafe access(path, R_OK | W_OK | X_OK) == 0 else {
      let hint = errno == EROFS ? "mount -o remount,rw \(path)" : "chmod 1777 \(path)"
      return .error(subject, "\(path): \(errorText(errno))", hint: hint)
    }
    guard !mayAnybodyRemove(in: path) else {
      return .warning(
        subject, "anybody may remove or replace anybody's segments: \(path) has no sticky bit",
        hint: "chmod +t \(path)")
    }
    let room = "\(readableBytes(system.free)) of \(readableBytes(system.total)) are free on \(path)"
    let more = "mount -o remount,size=1G \(path), or docker run --shm-size=1g"
    if system.freeFiles == 0 {
      return .error(subject, "no more files fit on \(path)", hint: "remove some")
    }
    // What 50 publishers need; a bus of a few takes less than 16 MiB.
    if system.free < 16 << 20 { return .error(subject, room, hint: more) }
    if system.free < 64 << 20 { return .warning(subject, room, hint: more) }
    guard system.isMemory else {
      return .warning(
        subject, "\(path) is not in memory, so messages cost disk writes",
        hint: "mount -t tmpfs -o mode=1777 tmpfs \(path)")
    }
    return .ok(subject, room)
  }

  private static func mayAnybodyRemove(in path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & 0o002 != 0
      && status.st_mode & mode_t(S_ISVTX) == 0
  }

  // MARK: The bus itself

  /// Sends one message through a bus of its own, which it removes.
  private static func roundTrip() -> Finding {
    do throws(BusError) {
      let scratch = try TemporaryDirectory("doctor")
      defer { scratch.remove() }
      let directory = try BusDirectory(opening: scratch.path)
      defer { _ = try? SharedMemoryBus.clean(directory) }
      try sendOne(MirroredBus(directory: directory))
      return .ok("a message", "was published, received, and is in its file")
    } catch {
      return .error("a message", error)
    }
  }

  private static func sendOne(_ bus: MirroredBus) throws(BusError) {
    defer { bus.close() }
    let subscription = try bus.subscribe("doctor")
    let message = Message(type: "doctor", sender: "doctor", payload: try RawJSON("1"))
    try bus.publish(message, to: Topic("doctor"), durability: .mirrored)
    guard case .envelope = try subscription.receive(timeout: .seconds(10)) else {
      throw BusError(
        .system, "a message that was published did not arrive within 10 s",
        hint: "look at the system's log; is the machine overloaded or suspended?")
    }
  }

  // MARK: Limits

  private static func limits() -> [Finding] {
    var findings: [Finding] = []
    if let files = limit(RLIMIT_NOFILE), files < 256 {
      findings.append(
        .warning(
          "open files", "a process may have \(files) of them", hint: "ulimit -n 1024"))
    }
    if let bytes = limit(RLIMIT_FSIZE) {
      findings.append(
        .warning(
          "file size", "no file may have more than \(readableBytes(bytes)), segments included",
          hint: "ulimit -f unlimited"))
    }
    return findings.isEmpty ? [.ok("limits", "of this process are wide enough")] : findings
  }

  /// nil: none.
  private static func limit(_ resource: __rlimit_resource) -> UInt64? {
    var limits = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0,
      limits.rlim_cur != .max
    else { return nil }
    return UInt64(limits.rlim_cur)
  }

  private static func changeEvents() -> Finding {
    let descriptor = inotify_init1(Int32(IN_CLOEXEC))
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0 else {
      return .warning(
        "change events",
        "the kernel has none left for this user, so subscribers of files look now and then",
        hint: "sysctl fs.inotify.max_user_instances=1024")
    }
    return .ok("change events", "the kernel tells subscribers of files")
  }

  // MARK: Logging out

  /// systemd removes the shared memory of people who log out: logind.conf(5), RemoveIPC.
  private static func logout() -> Finding? {
    guard geteuid() >= 1000, unsafe access("/run/systemd/system", F_OK) == 0 else { return nil }
    let settings = try? TaskText.contents("/etc/systemd/logind.conf") ?? []
    let isOff = String(decoding: settings ?? [], as: UTF8.self).split(separator: "\n").contains {
      $0.filter { $0 != " " }.lowercased() == "removeipc=no"
    }
    guard !isOff else { return nil }
    return .note(
      "logging out", "removes your segments, and with them what no mirror has written",
      hint: "RemoveIPC=no in /etc/systemd/logind.conf, or loginctl enable-linger")
  }

}
