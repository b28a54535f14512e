import CShim
import ConclaveBus
import Glibc

enum ChildStart {
  /// Starts a program; /bin/sh runs what the kernel refuses as no program, such as a script whose
  /// first line does not say what runs it: as execvp(3) does, and shells.
  ///
  /// - Parameter descriptors: the program's 0, 1 and 2.
  /// - Throws: `notFound` also for a script whose interpreter does not exist.
  static func start(
    _ request: ChildRequest, _ environment: [String: String], _ descriptors: [Int32]
  ) throws(BusError) -> pid_t {
    var pid: Int32 = 0
    var failure = start(request, request.program, [], environment, descriptors, &pid)
    // Whoever has just written it may have passed the open file on to a child, until that becomes
    // its own program: https://go.dev/issue/22315.
    for _ in 0..<100 where failure == ETXTBSY {
      usleep(10_000)
      failure = start(request, request.program, [], environment, descriptors, &pid)
    }
    if failure == ENOEXEC {
      failure = start(request, "/bin/sh", ["/bin/sh"], environment, descriptors, &pid)
    }
    if failure == E2BIG {
      throw BusError(
        .messageTooLarge, "the arguments for \(shown(request.program)) are too long",
        hint: "give the prompt on standard input or as a file")
    }
    guard failure == 0 else {
      throw systemError("start \(shown(request.program))", failure)
    }
    return pid
  }

  /// - Parameters:
  ///   - program: what the kernel is to run.
  ///   - first: arguments before the request's program.
  /// - Returns: an error number, or 0.
  private static func start(
    _ request: ChildRequest, _ program: String, _ first: [String],
    _ environment: [String: String], _ descriptors: [Int32], _ pid: inout Int32
  ) -> Int32 {
    let arguments = first + [request.program] + request.arguments
    let entries = environment.map { "\($0.key)=\($0.value)" }
    return unsafe withCStrings(arguments) { arguments in
      unsafe withCStrings(entries) { entries in
        unsafe conclave_child_start(
          program, arguments, entries, request.directory, descriptors, &pid)
      }
    }
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
  ) -> R {
    let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe body(copies)
  }
}

/// A failed system call: `doing` names the operation and its object.
func systemError(_ doing: String, _ code: Int32 = errno) -> BusError {
  let kind: BusError.Code =
    switch code {
    case ENOSPC, EDQUOT, EFBIG: .noSpace
    case EACCES, EPERM, EROFS: .permissionDenied
    case ENOENT, ENOTDIR: .notFound
    case ENOMEM, EMFILE, ENFILE, EAGAIN: .exhausted
    default: .system
    }
  let hint =
    switch kind {
    case .noSpace: "make room on that file system"
    case .permissionDenied: "check whose it is, and its permissions"
    case .notFound: "check the path, and a script's first line"
    case .exhausted: "raise the limits of processes and open files, or end something"
    default: ""
    }
  return BusError(kind, "cannot \(doing): \(unsafe String(cString: strerror(code)))", hint: hint)
}
