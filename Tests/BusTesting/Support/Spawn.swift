import Glibc

let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)

/// Starts a program whose descriptors 0, 1 and 2 are `descriptors`; it inherits nothing else, not
/// even the signal mask of the thread that starts it.
func spawn(
  _ arguments: [String], environment: [String], descriptors: [Int32]
) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  for (target, descriptor) in descriptors.enumerated() {
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
  }

  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var mask = sigset_t()
  unsafe sigemptyset(&mask)
  unsafe posix_spawnattr_setsigmask(&attributes, &mask)
  unsafe sigfillset(&mask)
  unsafe posix_spawnattr_setsigdefault(&attributes, &mask)
  unsafe posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  var pid = pid_t()
  let failure = unsafe withCStrings(arguments) { list in
    unsafe withCStrings(environment) { environment in
      unsafe posix_spawnp(&pid, arguments[0], &actions, &attributes, list, environment)
    }
  }
  guard failure == 0 else { throw SystemFailure("start \(arguments[0])", errorNumber: failure) }
  return pid
}

/// Changing the directory of a child alone takes a shell here.
func command(_ executable: String, _ arguments: [String], in directory: String?) -> [String] {
  guard let directory else { return [executable] + arguments }
  return ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", directory, executable] + arguments
}

/// A file that nobody can find and that is gone when its descriptor is.
func namelessFile() throws -> Int32 {
  let directory = try TemporaryDirectory()
  let descriptor = unsafe open(directory.appending("output"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
  guard descriptor >= 0 else { throw SystemFailure("open a file in \(directory.path)") }
  return descriptor
}

func currentEnvironment() -> [String] {
  var result: [String] = []
  var entry = unsafe environ
  while let text = unsafe entry.pointee {
    unsafe result.append(String(cString: text))
    unsafe entry += 1
  }
  return result
}

private func withCStrings<R>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
) -> R {
  let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { unsafe copies.forEach { unsafe free($0) } }
  return unsafe body(copies)
}
