import ConclaveBus
import Glibc

/// What a run has done, one record a line, each on the disk before the next step: a process that is
/// killed at any moment leaves a journal from which another one can go on.
///
/// Used by who has the run's lock, one thread at a time.
struct FleetJournal {
  private let path: String
  private let file: OwnedFile

  /// Opens the journal to write on. The beginning of a record that a kill has torn is cut off.
  init(_ path: String) throws(BusError) {
    self.path = path
    file = OwnedFile(
      unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600))
    guard file.number >= 0 else { throw systemError("open \(shown(path))") }
    let bytes = try DurableFile.read(path, limit: FleetJournal.sizeLimit) ?? []
    let whole = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    if whole < bytes.count, ftruncate(file.number, off_t(whole)) != 0 {
      throw systemError("repair \(shown(path))")
    }
  }

  /// - Throws: `noSpace`, `system`; the record is then not there.
  func append(_ record: FleetRecord) throws(BusError) {
    FleetKill.before()
    let line = Array(record.line(.now()).utf8)
    let end = lseek(file.number, 0, SEEK_END)
    let written = unsafe write(file.number, line, line.count)
    guard written == line.count, fsync(file.number) == 0 else {
      let error = systemError("write \(shown(path))", written < 0 ? errno : ENOSPC)
      if end >= 0 { _ = ftruncate(file.number, end) }
      throw error
    }
    FleetKill.after()
  }

  private static let sizeLimit = 1 << 28

  /// All whole records; none when there is no such file.
  ///
  /// - Throws: `corrupt`, naming the line, for what no run has written.
  static func read(_ path: String) throws(BusError) -> [FleetRecord] {
    var records: [FleetRecord] = []
    for (index, record) in try lines(path).enumerated() {
      guard let record else {
        throw BusError(
          .corrupt, "line \(index + 1) of \(shown(path)) is not a record of a run",
          hint: "begin anew with --fresh, which keeps all work on branches wip/...")
      }
      records.append(record)
    }
    return records
  }

  /// What can be read of a journal that is damaged.
  static func salvage(_ path: String) throws(BusError) -> [FleetRecord] {
    try lines(path).compactMap { $0 }
  }

  /// The record of each whole line; nil for what is none.
  private static func lines(_ path: String) throws(BusError) -> [FleetRecord?] {
    let bytes = try DurableFile.read(path, limit: sizeLimit) ?? []
    guard let end = bytes.lastIndex(of: 0x0A) else { return [] }
    return bytes[..<end].split(separator: 0x0A).map { FleetRecord(json: Array($0)) }
  }
}
