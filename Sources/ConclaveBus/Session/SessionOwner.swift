import Glibc

/// The process that began a session, as it says itself in the bus directory's `.pid`.
///
/// For people: whether it lives only the lock says (``BusSession/owner(of:)``), since a pid may
/// be another process's by now.
public struct SessionOwner: Hashable, Sendable {
  public var process: UInt32
  /// When the process started, in clock ticks since the boot `boot`; with the pid, that is one
  /// process only. 0 when the system does not tell.
  public var startTicks: UInt64
  /// The kernel's boot id, or empty.
  public var boot: String
  public var host: String
  public var session: SessionName
  /// When the session began.
  public var began: Timestamp

  public init(
    process: UInt32, startTicks: UInt64, boot: String, host: String, session: SessionName,
    began: Timestamp
  ) {
    self.process = process
    self.startTicks = startTicks
    self.boot = boot
    self.host = host
    self.session = session
    self.began = began
  }
}

extension SessionOwner {
  /// The calling process, whose session begins now.
  static func current(_ session: SessionName) -> SessionOwner {
    SessionOwner(
      process: ProcessIdentity.pid, startTicks: ownStartTicks(),
      boot: word(SystemFiles.text("/proc/sys/kernel/random/boot_id")), host: hostName(),
      session: session, began: .now())
  }

  /// The longest text that is read: more than any session writes.
  static let textLimit = 4096

  /// What `.pid` holds. The pid stands alone in the first line, for `kill $(head -n 1 .pid)`.
  var text: String {
    """
    \(process)
    session \(session)
    began \(began)
    start \(startTicks)
    boot \(boot)
    host \(host)

    """
  }

  /// nil for what no session wrote whole.
  init?(text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let process = lines.first.flatMap({ UInt32($0) }), text.hasSuffix("\n") else {
      return nil
    }
    var values: [Substring: String] = [:]
    for line in lines.dropFirst() {
      guard let space = line.firstIndex(of: " ") else { continue }
      values[line[..<space]] = String(line[line.index(after: space)...])
    }
    guard let name = values["session"], SessionName.isWellFormed(name),
      let began = values["began"].flatMap({ Timestamp(rfc3339: $0) }), let host = values["host"]
    else { return nil }
    self.init(
      process: process, startTicks: values["start"].flatMap { UInt64($0) } ?? 0,
      boot: values["boot"] ?? "", host: host, session: SessionName(checked: name), began: began)
  }

  /// How errors name it.
  var description: String {
    let place = host == SessionOwner.hostName() ? "" : " on \(quotedForError(host))"
    return "process \(process)\(place), session \(session), begun \(began)"
  }

  // MARK: The calling process

  private static func ownStartTicks() -> UInt64 {
    // "pid (name) state ...": the name may hold anything, also spaces and brackets (proc(5)).
    let text = SystemFiles.text("/proc/self/stat")
    guard let end = text.lastIndex(of: ")") else { return 0 }
    let words = text[end...].split(separator: " ")
    return words.count > 20 ? UInt64(words[20]) ?? 0 : 0
  }

  private static func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
    return word(
      String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  /// Without what would end a line.
  private static func word(_ text: String) -> String {
    String(text.unicodeScalars.filter { $0.value > 0x20 }.map(Character.init))
  }
}
