public import ConclaveBus
import Glibc

/// The command that runs a project's tests.
public struct TestCommand: Hashable, Sendable {
  /// What it was chosen for: a file's name, or `--test-cmd`.
  public let origin: String
  public let command: [String]

  /// The first one that fits, in the order of the original: package.json, Cargo.toml,
  /// pyproject.toml or setup.py, go.mod, test.sh; then Package.swift, a Makefile with a target
  /// `test`, CMakeLists.txt. nil when there is none.
  ///
  /// - Parameter directory: absolute.
  /// - Throws: `notFound` when there is no such directory: no tests there means nothing.
  public static func detect(in directory: String) throws(BusError) -> TestCommand? {
    var information = stat()
    guard directory.hasPrefix("/"), unsafe stat(directory, &information) == 0,
      information.st_mode & S_IFMT == S_IFDIR
    else {
      throw BusError(
        .notFound, "there is no directory \(shown(directory)) to look for tests in",
        hint: "name an existing one, by its absolute path")
    }
    return candidates.lazy.compactMap { $0(Folder(path: directory)) }.first
  }

  /// The line of shell that somebody has named, or else what ``detect(in:)`` finds.
  static func chosen(
    _ line: String?, in directory: String
  ) throws(BusError) -> TestCommand? {
    guard let line else { return try detect(in: directory) }
    return TestCommand(origin: "--test-cmd", command: ["/bin/sh", "-c", line])
  }

  private struct Folder {
    let path: String
    func has(_ name: String) -> Bool { unsafe access("\(path)/\(name)", F_OK) == 0 }
    func text(_ name: String) -> String? {
      guard let bytes = try? DurableFile.read("\(path)/\(name)") else { return nil }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static let candidates: [@Sendable (Folder) -> TestCommand?] = [
    npm, plain("Cargo.toml", ["cargo", "test"]),
    plain("pyproject.toml", ["python3", "-m", "pytest"]),
    plain("setup.py", ["python3", "-m", "pytest"]), plain("go.mod", ["go", "test", "./..."]),
    script, plain("Package.swift", ["swift", "test"]), make, cmake,
  ]

  private static func plain(
    _ name: String, _ command: [String]
  ) -> @Sendable (Folder) -> TestCommand? {
    { $0.has(name) ? TestCommand(origin: name, command: command) : nil }
  }

  /// What `npm init` writes as a test always fails, and stands for none.
  private static func npm(_ folder: Folder) -> TestCommand? {
    guard let text = folder.text("package.json"), let tree = try? JSONTree(Array(text.utf8)),
      let test = tree["scripts.test"]?.text, !test.contains("no test specified")
    else { return nil }
    return TestCommand(origin: "package.json", command: ["npm", "test"])
  }

  private static func script(_ folder: Folder) -> TestCommand? {
    guard folder.has("test.sh") else { return nil }
    let runs = unsafe access("\(folder.path)/test.sh", X_OK) == 0
    return TestCommand(
      origin: "test.sh", command: runs ? ["./test.sh"] : ["/bin/sh", "./test.sh"])
  }

  private static func make(_ folder: Folder) -> TestCommand? {
    for name in ["GNUmakefile", "makefile", "Makefile"] {
      guard let text = folder.text(name) else { continue }
      let hasTarget = text.split(whereSeparator: \.isNewline).contains { line in
        guard let colon = line.firstIndex(of: ":"), !line.hasPrefix("\t"),
          !line[colon...].hasPrefix(":=")
        else { return false }
        return line[..<colon].split(separator: " ").contains("test")
      }
      return hasTarget ? TestCommand(origin: name, command: ["make", "test"]) : nil
    }
    return nil
  }

  private static func cmake(_ folder: Folder) -> TestCommand? {
    guard folder.has("CMakeLists.txt") else { return nil }
    let line = "cmake -S . -B build && cmake --build build && ctest --test-dir build"
    return TestCommand(
      origin: "CMakeLists.txt", command: ["/bin/sh", "-c", line + " --output-on-failure"])
  }
}
