import Glibc

/// An executable that tests are made of, beside the test bundle.
package enum TestProgram: String, Sendable {
  case storm = "conclave-storm"
  case step = "conclave-step"

  /// - Returns: how it ended, and all that it said.
  package func run(_ words: [String]) async throws -> (
    exit: ChildProcess.Exit, said: String
  ) {
    let child = try ChildProcess(try path(), words)
    return try await onThread {
      (try child.wait(), child.standardOutput + child.standardError)
    }
  }

  private func path() throws -> String {
    guard let own = unsafe realpath("/proc/self/exe", nil) else {
      throw SystemFailure("realpath of /proc/self/exe")
    }
    defer { unsafe free(own) }
    let words = unsafe String(cString: own).split(separator: "/").dropLast()
    return "/\(words.joined(separator: "/"))/\(rawValue)"
  }
}
