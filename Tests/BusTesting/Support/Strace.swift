import Foundation

/// Whether strace is there, and the system lets it trace.
public func straceWorks() async throws -> Bool {
  guard FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") else { return false }
  let child = try ChildProcess("/usr/bin/strace", ["-f", "-o", "/dev/null", "true"])
  return try await onThread { try child.wait() == .code(0) }
}
