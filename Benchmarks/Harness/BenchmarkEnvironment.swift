import CShim
import ConclaveBus
import Glibc

/// Where and when the figures were measured.
struct BenchmarkEnvironment {
  enum Value {
    case text(String)
    case number(Int)
  }

  let facts: [(name: String, value: Value)]

  init(runs: Int, isQuick: Bool) {
    facts = [
      ("date", .text(Timestamp.now().description)),
      ("processor", .text(BenchmarkEnvironment.processor)),
      ("cores", .number(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
      ("kernel", .text(BenchmarkEnvironment.kernel)),
      ("swift", .text(BenchmarkEnvironment.swift)),
      ("configuration", .text(BenchmarkEnvironment.configuration)),
      ("segmentLayout", .number(Int(CONCLAVE_LAYOUT_VERSION))),
      ("runs", .number(runs)),
      ("sizes", .text(isQuick ? "quick" : "full")),
    ]
  }

  /// One line for people.
  var line: String {
    facts.map { fact in
      switch fact.value {
      case .text(let text): "\(fact.name) \(text)"
      case .number(let number): "\(fact.name) \(number)"
      }
    }.joined(separator: "; ")
  }

  /// The model as the kernel tells it; not all architectures have one.
  private static var processor: String {
    let lines = SmallFile.text("/proc/cpuinfo").split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("model name") }),
      let colon = line.firstIndex(of: ":")
    else { return "unknown" }
    return String(line[line.index(after: colon)...].drop { $0 == " " })
  }

  private static var kernel: String {
    String(SmallFile.text("/proc/sys/kernel/osrelease").prefix { $0 != "\n" })
  }

  private static var configuration: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  private static var swift: String {
    #if compiler(>=6.5)
      "6.5 or later"
    #elseif compiler(>=6.4)
      "6.4"
    #else
      "6.3"
    #endif
  }
}

/// Files of a few kilobytes, as those in /proc.
enum SmallFile {
  /// All of it; empty when it cannot be read.
  static func text(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe read(descriptor, &chunk, chunk.count), count > 0 {
      bytes += chunk.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Writes `text` to a file, replacing it.
  static func write(_ text: String, to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw BenchmarkFailure("cannot write \(path): \(systemText())") }
    defer { close(descriptor) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      }
      guard count >= 0 else { throw BenchmarkFailure("cannot write \(path): \(systemText())") }
      rest = rest.dropFirst(count)
    }
  }
}

/// The text of `errno`.
func systemText(_ number: Int32 = errno) -> String { unsafe String(cString: strerror(number)) }
