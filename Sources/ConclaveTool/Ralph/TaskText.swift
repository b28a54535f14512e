import ConclaveBus
import ConclaveRunner
import Glibc

/// A task as it is given: its text, or the path of a file that holds it.
enum TaskText {
  /// - Throws: for a file that is not text, or too large; and for what looks like the path of a
  ///   file that is not there, since as a task it would be nonsense.
  static func read(_ text: String) throws -> String {
    if text == "-" {
      var input = Input()
      return try decoded(try input.readAll(), "standard input")
    }
    guard !text.contains("\n"), text.utf8.count < 4096, let bytes = try contents(text) else {
      let looksLikePath =
        !text.contains(" ") && [".md", ".txt"].contains(where: text.hasSuffix)
      guard !looksLikePath else {
        throw ToolError(
          .notFound, code: "notFound", "there is no file \(quoted(text))",
          hint: "check the path, or write the task as a sentence")
      }
      return text
    }
    return try decoded(bytes, quoted(text))
  }

  static func decoded(_ bytes: [UInt8], _ origin: String) throws(ToolError) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    throw usageError("\(origin) is not UTF-8", hint: "convert it")
  }

  /// The bytes of a regular file of at most `limit` bytes; nil when there is none.
  static func contents(_ path: String, limit: Int = 1 << 20) throws(ToolError) -> [UInt8]? {
    var information = stat()
    guard !path.isEmpty, unsafe stat(path, &information) == 0,
      information.st_mode & S_IFMT == S_IFREG
    else { return nil }
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw ToolError(
        .permission, code: "permissionDenied", "cannot read \(quoted(path)): \(errorText(errno))",
        hint: "check its permissions")
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe Glibc.read(file, &chunk, chunk.count), count > 0 {
      bytes += chunk[..<count]
      guard bytes.count <= limit else {
        throw usageError("\(quoted(path)) has more than \(limit >> 20) MiB", hint: "shorten it")
      }
    }
    return bytes
  }
}
