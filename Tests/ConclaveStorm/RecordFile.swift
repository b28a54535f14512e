import Glibc

/// A file to which processes add records until they are killed. Each record begins with a line feed
/// and ends with a semicolon, so one that a death cut short neither counts nor spoils the next.
struct RecordFile {
  private let descriptor: Int32

  init(_ path: String) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
  }

  /// In one write, so that records of several processes do not mix; again where it fails.
  func append(_ record: String) {
    let line = Array("\n\(record);".utf8)
    for _ in 0..<3 where unsafe write(descriptor, line, line.count) == line.count { return }
    Report.fault("a record could not be written: \(errno)")
  }

  /// The whole records, in the order in which they were added.
  ///
  /// - Parameter last: only those in so many bytes at the end.
  static func read(_ path: String, last: Int? = nil) -> [Substring] {
    // What is before the first line feed may be the rest of a record.
    records(in: TextFile.read(path, last: last))
  }

  static func records(in text: String) -> [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
      .filter { $0.hasSuffix(";") }.map { $0.dropLast() }
  }
}

/// What a worker says. Not with print, whose buffer dies with the process.
enum Report {
  static let word = "FAULT"

  static func fault(_ what: String) { say("\(word) \(what)") }

  static func say(_ what: String) {
    let line = Array("\(what)\n".utf8)
    _ = unsafe write(STDOUT_FILENO, line, line.count)
  }
}
