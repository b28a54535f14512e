import Glibc

/// The source files of this package, as text.
struct SourceFile: Sendable {
  /// Below the package's root.
  let path: String
  let lines: [Substring]

  var name: Substring { path.split(separator: "/").last ?? "" }
  var isSwift: Bool { path.hasSuffix(".swift") }
  var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }

  /// The module that it belongs to: `Sources/<module>/...`, or `CShim`.
  var module: String? {
    let parts = path.split(separator: "/")
    if parts.first == "CShim" { return "CShim" }
    return parts.first == "Sources" && parts.count > 2 ? String(parts[1]) : nil
  }

  /// `path:line` of each line that satisfies `condition`.
  func places(where condition: (Substring) -> Bool) -> [String] {
    lines.indices.filter { condition(lines[$0]) }.map { "\(path):\($0 + 1)" }
  }
}

enum House {
  /// Three levels above this file.
  static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    .joined(separator: "/")

  static let rooms = ["CShim", "Sources", "Tests", "Benchmarks"]

  static let files: [SourceFile] =
    rooms.flatMap { files(below: $0) }
    + [read("Package.swift")]
    .compactMap { $0 }

  /// Visible names in a directory of the package.
  static func entries(of directory: String) -> [String] {
    guard let stream = unsafe opendir("\(root)/\(directory)") else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  private static func files(below directory: String) -> [SourceFile] {
    entries(of: directory).flatMap { name -> [SourceFile] in
      let path = "\(directory)/\(name)"
      let inside = files(below: path)
      return inside.isEmpty ? [read(path)].compactMap { $0 } : inside
    }
  }

  private static func read(_ path: String) -> SourceFile? {
    guard let file = unsafe fopen("\(root)/\(path)", "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 {
      bytes += chunk.prefix(count)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return SourceFile(
      path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
  }
}
