import ConclaveBus
import Glibc

/// Topic files of any contents: who reads one comes to its end and hands out whole envelopes alone,
/// who publishes behind it is heard, and what was there is still there. A libFuzzer target; see
/// `run` beside it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe bytes(start, count)
  let home = Home.shared
  home.write(input)
  do throws(BusError) { try home.use(input) } catch {
    require(error.code == .incompatible, "it fails with \(error)")
  }
  return 0
}

/// A bus directory that every input has for itself.
private final class Home: Sendable {
  static let shared = Home()

  private let path: String
  private var file: String { "\(path)/t.jsonl" }

  private init() {
    var template = Array("/dev/shm/conclave-fuzz-XXXXXX".utf8CString)
    require(unsafe mkdtemp(&template) != nil, "no directory")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    atexit { Home.shared.clear() }
  }

  private func clear() {
    guard let folder = unsafe opendir(path) else { return }
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      unsafe unlink("\(path)/\(name)")
    }
    unsafe closedir(folder)
    unsafe rmdir(path)
  }

  func write(_ bytes: [UInt8]) {
    let file = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let count = unsafe Glibc.write(file, bytes, bytes.count)
    require(count == bytes.count, "no file")
    close(file)
  }

  private func read() -> [UInt8] {
    let file = unsafe open(file, O_RDONLY | O_CLOEXEC)
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe Glibc.read(file, &bytes, bytes.count)
    close(file)
    return Array(bytes.prefix(max(0, count)))
  }

  func use(_ input: [UInt8]) throws(BusError) {
    let bus = try FileBus(directory: BusDirectory(opening: path))
    let before = try bus.subscribe("t", options: SubscriptionOptions(start: .beginning))
    check(try drain(before, most: input.count + 1), input)
    let said = Message(type: "x", sender: "fuzz", payload: try RawJSON("\"said\""))
    try bus.publish(said, to: Topic("t"))
    let heard = try drain(before, most: 2)
    require(heard.last?.payload == said.payload, "what is published behind it is not heard")
    let after = read()
    require(after.last == 0x0A, "the last line has no end")
    // A torn tail is nobody's line; all lines before it stay as they are.
    let whole = input.prefix(upTo: (input.lastIndex(of: 0x0A) ?? -1) + 1)
    require(after.starts(with: whole), "lines were changed")
    bus.close()
  }

  private func drain(_ subscription: Subscription, most: Int) throws(BusError) -> [Envelope] {
    var found: [Envelope] = []
    for _ in 0...most * 2 {
      guard let delivery = try subscription.poll() else { return found }
      if case .envelope(let envelope) = delivery { found.append(envelope) }
    }
    require(false, "reading comes to no end")
    return found
  }

  /// Each is one of the lines, in their order.
  private func check(_ envelopes: [Envelope], _ input: [UInt8]) {
    var lines = input.split(separator: 0x0A)[...]
    for envelope in envelopes {
      while let line = lines.popFirst() {
        if (try? Envelope(jsonLine: Array(line).span.bytes)) == envelope { break }
        require(!lines.isEmpty, "an envelope that no line is")
      }
    }
  }
}
