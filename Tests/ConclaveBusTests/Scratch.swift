import BusTesting
import ConclaveBus
import Glibc

/// A directory of a test's own, removed with all that is in it.
final class Scratch: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/conclave-test-XXXXXX".utf8CString)
    path = unsafe template.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress, let made = unsafe mkdtemp(start) else { return "" }
      return unsafe String(cString: made)
    }
    precondition(!path.isEmpty, "there is no room for temporary files")
  }

  deinit {
    removeTree(path)
    removeSegments(leftBy: path)
  }

  /// A bus directory here.
  func directory(_ name: String = "bus") throws(BusError) -> BusDirectory {
    try BusDirectory(opening: "\(path)/\(name)")
  }

  func bus(_ options: FileBusOptions = FileBusOptions()) throws(BusError) -> FileBus {
    try FileBus(directory: directory(), options: options)
  }

  /// Where the file of `topic` is.
  func file(_ topic: String) -> String { "\(path)/bus/\(topic).jsonl" }
}

/// Whole files, as tests look at them and spoil them.
enum Disk {
  static func read(_ path: String) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe Glibc.read(file, &chunk, chunk.count)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }

  static func write(_ path: String, _ bytes: [UInt8], append: Bool = false) {
    let file = unsafe open(
      path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0o600)
    precondition(file >= 0)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      precondition(count > 0)
      rest = rest.dropFirst(count)
    }
    close(file)
  }

  static func append(_ path: String, _ text: String) { write(path, Array(text.utf8), append: true) }

  static func size(_ path: String) -> Int {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? Int(status.st_size) : -1
  }

  /// The envelopes in a file, each of whose lines must be one.
  static func envelopes(_ path: String) throws -> [Envelope] {
    try lines(path).map { line in try unsafe Envelope(jsonLine: line.span.bytes) }
  }

  /// The first line of a file, without its line feed, if it is whole.
  static func firstLine(_ path: String) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe Glibc.read(file, &bytes, bytes.count)
    guard count > 0, let end = bytes[..<count].firstIndex(of: 0x0A) else { return nil }
    return Array(bytes[..<end])
  }

  static func lines(_ path: String) -> [[UInt8]] {
    read(path).split(separator: 0x0A, omittingEmptySubsequences: true).map(Array.init)
  }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Subscription {
  /// What is delivered until there are `count` deliveries, or nothing comes for `patience`.
  func take(_ count: Int, patience: Duration = hangLimit) throws(BusError) -> [Delivery] {
    var found: [Delivery] = []
    while found.count < count, let delivery = try receive(timeout: patience) {
      found.append(delivery)
    }
    return found
  }

  /// The payloads of what is delivered now, without waiting.
  func payloads() throws(BusError) -> [String] {
    var found: [String] = []
    while let delivery = try poll() { found += [delivery.payload].compactMap { $0 } }
    return found
  }
}

extension Delivery {
  var envelope: Envelope? {
    guard case .envelope(let envelope) = self else { return nil }
    return envelope
  }

  var payload: String? { envelope?.payload.description }
}

extension FileBus {
  /// Publishes `payload` as `sender` on `topic`.
  func say(_ payload: String, on topic: String = "t", as sender: String = "a") throws(BusError) {
    let message = Message(type: "test", sender: sender, payload: try RawJSON(payload))
    try publish(message, to: Topic(topic))
  }
}
