import Glibc

/// How long a journal is at least, written into the lock file beside it: so a journal that was
/// shortened is told from one that was not, though what is left of it is in order.
///
///     8c1f0d63a5b2e974 00000000000000004711 00a1b2c3
///
/// A checksum, the length, and which start of the machine it holds for: a power cut may take the
/// end of a journal that was not on the disk. Written behind each append, so it is never ahead of
/// the journal, wherever somebody is killed; and taken back before a new journal takes the old
/// one's place.
struct DurableWitness {
  /// Of the lock file. The locks on its bytes have nothing to do with what is in them.
  let file: OwnedDescriptor
  let path: String

  private static let size = 47

  /// The journal has so many bytes of whole lines. Where that cannot be written the older word
  /// stands, and is true.
  func raise(to length: UInt64) {
    guard let boot = DurableWitness.boot else { return }
    let digits = String(length)
    let padded = String(repeating: "0", count: 20 - digits.count) + digits
    var bytes: [UInt8] = []
    var chain = DurableChain()
    chain.append(to: &bytes) { $0 += Array("\(padded) \(boot)".utf8) }
    _ = unsafe pwrite(file.number, bytes, bytes.count, 0)
  }

  /// There may be any journal now.
  ///
  /// - Throws: `noSpace`, `system`.
  func clear() throws(BusError) {
    guard ftruncate(file.number, 0) == 0 else { throw .system("write to", path) }
  }

  /// 0 where nothing is known.
  var length: UInt64 {
    var bytes = [UInt8](repeating: 0, count: DurableWitness.size)
    guard unsafe pread(file.number, &bytes, bytes.count, 0) == bytes.count,
      bytes.removeLast() == UInt8(ascii: "\n")
    else { return 0 }
    var chain = DurableChain()
    guard let text = chain.take(bytes[...]) else { return 0 }
    let words = String(decoding: text, as: UTF8.self).split(separator: " ")
    guard words.count == 2, let boot = DurableWitness.boot, words[1] == boot else { return 0 }
    return UInt64(words[0]) ?? 0
  }

  /// nil where the kernel does not say.
  private static let boot: String? = {
    let tag = KeyMoment.now().bootTag
    guard tag != 0 else { return nil }
    let digits = String(tag, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }()
}
