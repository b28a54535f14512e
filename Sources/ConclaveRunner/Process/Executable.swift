public import ConclaveBus
import Glibc

/// Finding programs before they are needed, so that what is missing can be said in time.
public enum Executable {
  /// The path of `name`: itself, seen from `directory`, when it has a slash, or else the first
  /// program of that name in the environment's `PATH`.
  ///
  /// - Throws: `notFound`, or `permissionDenied` for a file that may not be executed.
  public static func find(
    _ name: String, environment: [String: String], directory: String
  ) throws(BusError) -> String {
    if name.contains("/") {
      let path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
      guard isFile(path) else {
        throw BusError(
          .notFound, "there is no program \(shown(path))", hint: "check the path")
      }
      guard unsafe access(path, X_OK) == 0 else {
        throw BusError(
          .permissionDenied, "\(shown(path)) may not be executed", hint: "chmod +x it")
      }
      return path
    }
    let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    for folder in folders {
      // A relative entry would run whatever an agent has put into the working directory.
      let path = "\(folder)/\(name)"
      if folder.hasPrefix("/"), isFile(path), unsafe access(path, X_OK) == 0 { return path }
    }
    throw BusError(
      .notFound, "the command \(shown(name)) is not in PATH",
      hint: "install it, or name its path")
  }

  private static func isFile(_ path: String) -> Bool {
    var information = stat()
    return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
  }
}

/// `text` as an error shows it: quoted, control characters escaped, not longer than a line.
func shown(_ text: some StringProtocol) -> String {
  let scalars = text.unicodeScalars
  let start = scalars.prefix(120).map { $0.escaped(asASCII: false) }.joined()
  return "\"\(start)\(scalars.count > 120 ? "..." : "")\""
}
