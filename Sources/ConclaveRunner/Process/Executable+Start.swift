import ConclaveBus
import Glibc

extension Executable {
  /// Whether a program can be begun: for a script, whether what its first line names is there.
  ///
  /// - Parameters:
  ///   - path: as ``find(_:environment:directory:)`` has found it.
  ///   - directory: where it will work.
  /// - Throws: `unsupported`.
  static func requireStartable(
    _ path: String, environment: [String: String], directory: String
  ) throws(BusError) {
    // One that may be executed, and not read, is the kernel's business.
    guard let start = beginning(path) else { return }
    if start.starts(with: Array("\u{7F}ELF".utf8)) { return }
    guard start.starts(with: Array("#!".utf8)) else {
      // The kernel may know formats that we do not; text is none.
      if start.contains(0) { return }
      throw noProgram(path)
    }
    let line = String(decoding: start.dropFirst(2).prefix { $0 != 0x0A }, as: UTF8.self)
    let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
    guard let interpreter = words.first.map(String.init) else { throw noProgram(path) }
    try require(
      interpreter.contains("/") ? interpreter : "./\(interpreter)", path, environment, directory)
    // All that stands behind it is one argument.
    let argument = words.count > 1 ? words[1].trimmed : ""
    guard interpreter.hasSuffix("/env"), !argument.isEmpty, !argument.hasPrefix("-"),
      !argument.contains("=")
    else { return }
    try require(String(argument), path, environment, directory)
  }

  private static func require(
    _ program: String, _ path: String, _ environment: [String: String], _ directory: String
  ) throws(BusError) {
    do throws(BusError) {
      _ = try find(program, environment: environment, directory: directory)
    } catch {
      throw BusError(
        .unsupported, "\(shown(path)) begins with #! and \(shown(program)): \(error.message)",
        hint: "mend its first line, or install that")
    }
  }

  private static func noProgram(_ path: String) -> BusError {
    BusError(
      .unsupported, "\(shown(path)) is no program: it is text that does not say what runs it",
      hint: "let it begin with #!/bin/sh, or whatever it is written in")
  }

  /// As much as the kernel looks at.
  private static func beginning(_ path: String) -> [UInt8]? {
    let file = OwnedFile(unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
    guard file.number >= 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = unsafe Glibc.read(file.number, &bytes, bytes.count)
    return count < 0 ? nil : Array(bytes.prefix(count))
  }
}
