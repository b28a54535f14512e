/// What a journal's bytes mean, line by line.
struct DurableReplay {
  private(set) var state = DurableState()
  private(set) var chain = DurableChain()
  /// How many bytes were whole lines.
  private(set) var taken: UInt64 = 0
  private(set) var prefix = ""
  private(set) var name = ""
  private var lines = 0
  /// Whether the lines have come that every journal is made with.
  private var hasBegun = false

  private static let magic = "conclave-durable"
  private static let version = "1"
  /// Longer than any that a member writes; of what has no line feed at all.
  private static let greatestTail = 64 << 20

  /// - Parameter length: how much of it there was at least.
  /// - Throws: when the journal is not that of `name`, or its end is missing.
  func check(_ name: DurableName, length: UInt64) throws(DurableFlaw) {
    guard lines > 0 else { throw DurableFlaw(line: 1, reason: "it is missing") }
    guard self.name == name.text else {
      throw DurableFlaw(line: 1, reason: "it is that of \(quotedForError(self.name))")
    }
    // They are written with the first one, or none is: without them the group would begin anew.
    guard hasBegun else {
      throw DurableFlaw(line: lines + 1, reason: "it is missing, and all that followed")
    }
    guard taken >= length else {
      throw DurableFlaw(
        line: lines + 1, isShortened: true,
        reason: "its end was there, and is missing or overwritten")
    }
  }

  var isEmpty: Bool { lines == 0 }

  /// About how long the file is when it is made anew.
  var snapshotBytes: UInt64 { 256 + 24 * UInt64(state.items.count) }

  static func header(_ name: DurableName, _ prefix: String) -> [UInt8] {
    Array("\(magic) \(version) \(name) \(prefix.isEmpty ? "*" : prefix)".utf8)
  }

  /// Takes what follows in the file. What has no line feed at the end is left: somebody was killed
  /// there, or writes it just now.
  ///
  /// - Throws: when a whole line is not what a member wrote.
  mutating func take(_ bytes: [UInt8]) throws(DurableFlaw) {
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      try take(line: bytes[start..<end])
      taken += UInt64(end + 1 - start)
      start = end + 1
    }
    let tail = bytes[start...]
    if tail.count > DurableReplay.greatestTail || !DurableChain.isBeginning(tail) {
      throw flaw("it has no end, and is no line's beginning")
    }
  }

  /// What this member has appended itself.
  mutating func note(_ entries: [DurableEntry], _ chain: DurableChain, _ count: Int) {
    for entry in entries { state.apply(entry) }
    lines += entries.count
    self.chain = chain
    taken += UInt64(count)
  }

  private mutating func take(line: ArraySlice<UInt8>) throws(DurableFlaw) {
    guard let text = chain.take(line) else { throw flaw("its checksum is wrong") }
    if lines == 0 {
      try takeHeader(text)
    } else {
      guard let entry = DurableEntry(text) else { throw flaw("it makes no sense") }
      state.apply(entry)
      if case .take = entry, state.generation != nil { hasBegun = true }
    }
    lines += 1
  }

  private mutating func takeHeader(_ line: ArraySlice<UInt8>) throws(DurableFlaw) {
    let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
    guard words.count == 4, words[0] == DurableReplay.magic else { throw flaw("it makes no sense") }
    guard words[1] == DurableReplay.version else {
      throw DurableFlaw(line: 1, version: words[1], reason: "")
    }
    name = words[2]
    prefix = words[3] == "*" ? "" : words[3]
  }

  private func flaw(_ reason: String) -> DurableFlaw {
    DurableFlaw(line: lines + 1, reason: reason)
  }
}

/// Why a journal cannot be used.
struct DurableFlaw: Error, Hashable, Sendable {
  /// From 1 on.
  var line: Int
  /// Where another version wrote it.
  var version: String?
  /// Whether all that is left is in order.
  var isShortened = false
  var reason: String

  func asError(_ name: DurableName) -> BusError {
    let path = DurableFolder.path(of: DurableFolder.journal(of: name))
    let lock = DurableFolder.path(of: DurableFolder.lock(of: name))
    if let version {
      return BusError(
        .incompatible,
        "the journal of the durable subscription \(name) has version \(quotedForError(version))",
        hint: "use the program that wrote it")
    }
    return BusError(
      .corrupt,
      "the journal of the durable subscription \(name) is damaged at line \(line): \(reason)",
      hint:
        "look at it with cat \(path) in the bus directory; its last whole take line says how far "
        + "it was; to begin anew, end its members and remove that file"
        + (isShortened ? "; to go on with what is left of it, remove \(lock) instead" : ""))
  }
}

/// The checksums of a journal's lines, each over the line and the checksum before it.
struct DurableChain: Hashable, Sendable {
  private var last: UInt64 = 0

  /// Not secret: it guards against damage, not against people.
  private static let seed: UInt64 = 0x636F_6E63_6C61_7665
  private static let width = 16

  /// Appends a line with what `body` writes.
  mutating func append(to bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    let start = bytes.count
    bytes += [UInt8](repeating: UInt8(ascii: " "), count: DurableChain.width + 1)
    body(&bytes)
    last = sum(bytes[(start + DurableChain.width + 1)...])
    for (index, digit) in digits.enumerated() { bytes[start + index] = digit }
    bytes.append(UInt8(ascii: "\n"))
  }

  /// What stands in a line behind its checksum; nil unless that is the next one's.
  mutating func take(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard line.count > DurableChain.width + 1 else { return nil }
    let text = line.dropFirst(DurableChain.width + 1)
    var next = self
    next.last = sum(text)
    guard line.prefix(DurableChain.width).elementsEqual(next.digits),
      line[line.startIndex + DurableChain.width] == UInt8(ascii: " ")
    else { return nil }
    self = next
    return text
  }

  /// Whether a line that somebody was killed at may look like this; a power cut leaves zeros behind
  /// it.
  static func isBeginning(_ bytes: ArraySlice<UInt8>) -> Bool {
    let text = bytes.prefix { $0 != 0 }
    return bytes.dropFirst(text.count).allSatisfy { $0 == 0 }
      && text.prefix(width).allSatisfy { isDigit($0) || (0x61...0x66).contains($0) }
      && text.dropFirst(width).allSatisfy {
        isDigit($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: " ")
          || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-")
      }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private func sum(_ text: ArraySlice<UInt8>) -> UInt64 {
    unsafe text.withUnsafeBytes { bytes in
      unsafe SipHash.digest(bytes, key: SipHash.Key(first: last, second: DurableChain.seed)).first
    }
  }

  private var digits: [UInt8] {
    (0..<DurableChain.width).map { index in
      let digit = UInt8(truncatingIfNeeded: last >> UInt64(60 - 4 * index)) & 0xF
      return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
  }
}
