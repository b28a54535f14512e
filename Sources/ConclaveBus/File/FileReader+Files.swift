import Glibc

/// Which file of each topic is read: the rotated ones by their numbers, then the active one, and
/// what becomes of that when it is rotated.
///
/// Only the file that is being read is kept open. As long as it is open its inode is not given to
/// another file, so it is recognised whatever it is called.
extension FileReader {
  /// Lists the directory: begins to read new topics at their beginning, notices files that were
  /// rotated or replaced.
  func list() throws(BusError) {
    wantsAnotherListing = false
    let history = try TopicHistory(in: shared.directory)
    for (topic, files) in history.topics where prefix.matches(topic) {
      if let tail = tails[topic] {
        try notice(tail)
      } else if files.hasActive || closing != nil || files.rotated.last != finished[topic] {
        openNext(topic, listed: files.rotated)
      }
    }
    for (topic, tail) in tails where history.topics[topic] == nil { try notice(tail) }
    refused.formIntersection(history.names.map(\.text))
    wantsAnotherLook = true
  }

  // MARK: The file that is read

  /// Looks at whether a file still bears its topic's name.
  private func notice(_ tail: FileTail) throws(BusError) {
    guard tail.replacedSince == nil else { return }
    let look = try TopicFile.look(at: tail.name, in: shared.directory)
    guard look?.identity != tail.identity else { return }
    tail.replacedSince = .now
    if let number = try number(of: tail) {
      tail.noteRotation(number)
    } else if look != nil {
      reporter.warn(.fileReplaced(file: tail.name))
    }
  }

  /// The number that a file got which was the active one; nil when somebody else took its name
  /// away.
  private func number(of tail: FileTail) throws(BusError) -> UInt64? {
    let directory = shared.directory
    let numbers = try TopicHistory.numbers(of: tail.topic, in: directory).filter {
      $0 > tail.floor
    }
    for number in numbers {
      let look = try TopicFile.look(
        at: TopicFileName(tail.topic, number: number).text, in: directory)
      if look?.identity == tail.identity { return number }
    }
    // Rotated and removed since: then its number is the next one, which is kept by an empty file
    // or by a greater number.
    guard !numbers.isEmpty else { return nil }
    let next = TopicFileName(tail.topic, number: tail.floor + 1)
    let look = try TopicFile.look(at: next.text, in: directory)
    return look?.size ?? 0 == 0 ? tail.floor + 1 : nil
  }

  // MARK: The next file

  /// Opens the file of `topic` that comes behind those that were read, if there is one.
  ///
  /// - Parameter listed: numbers of rotated files, rising, as far as they are known.
  func openNext(_ topic: Topic, listed: [UInt64] = []) {
    do throws(BusError) {
      var listed = listed
      // Each round means that the topic was rotated meanwhile.
      for _ in 0..<100 {
        if try openRotated(topic, listed) { return }
        let active = try openActive(topic)
        listed = try numbersBehind(topic, listed)
        guard listed.isEmpty else { continue }
        guard let active else { return }
        let look = try TopicFile.look(at: active.name, in: shared.directory)
        if look?.identity == active.identity {
          begin(active)
          return
        }
      }
      wantsAnotherListing = true
    } catch {
      // Descriptors may become free, for instance.
      wantsAnotherListing = true
      report(TopicFileName(topic), error)
    }
  }

  /// The numbers of rotated files that were not read. Only of a topic that was never rotated, as
  /// far as is known, the directory is not listed for it: most are of that kind.
  private func numbersBehind(
    _ topic: Topic, _ listed: [UInt64]
  ) throws(BusError) -> [UInt64] {
    let last = finished[topic] ?? 0
    if last == 0, listed.isEmpty {
      let first = TopicFileName(topic, number: 1).text
      let second = TopicFileName(topic, number: 2).text
      if try TopicFile.look(at: first, in: shared.directory) == nil,
        try TopicFile.look(at: second, in: shared.directory) == nil
      {
        return []
      }
    }
    return try TopicHistory.numbers(of: topic, in: shared.directory).filter { $0 > last }
  }

  /// Opens the rotated file with the least number that was not read.
  ///
  /// - Returns: false when there is none.
  private func openRotated(_ topic: Topic, _ listed: [UInt64]) throws(BusError) -> Bool {
    let last = finished[topic] ?? 0
    var numbers = listed.filter { $0 > last }
    // What a new subscription does not find is none of its business.
    var expected = finished[topic].map { $0 + 1 } ?? numbers.first ?? 1
    if numbers.first != last + 1, last < TopicFileName.greatestNumber {
      numbers.insert(last + 1, at: 0)
    }
    for number in numbers {
      let name = TopicFileName(topic, number: number)
      guard let tail = try openFile(name, floor: number - 1) else {
        if refused.contains(name.text) {
          pass(topic, from: &expected, through: number, isRead: true)
          finished[topic] = number
          continue
        }
        // Told only once it is sure that it is not one that is still to come.
        if !listed.contains(number) { continue }
        pass(topic, from: &expected, through: number, isRead: false)
        continue
      }
      // An empty file only keeps the number of one that was removed.
      let isEmpty = try tail.size() == 0 && finished[topic] != nil
      pass(topic, from: &expected, through: number, isRead: !isEmpty)
      if isEmpty { continue }
      if begin(tail) { return true }
    }
    return false
  }

  /// All files up to `number` were passed over, except that one if it `isRead`.
  private func pass(
    _ topic: Topic, from expected: inout UInt64, through number: UInt64, isRead: Bool
  ) {
    let end = isRead ? number : number + 1
    if expected < end {
      noteRemovalsAhead(of: topic)
      reporter.filesRemoved(of: topic, expected...end - 1)
    }
    expected = number + 1
    finished[topic] = isRead ? number - 1 : number
  }

  private func openActive(_ topic: Topic) throws(BusError) -> FileTail? {
    try openFile(TopicFileName(topic), floor: finished[topic] ?? 0)
  }

  /// Nil when it is not there, or nothing that can be read; the latter is reported once.
  func openFile(_ name: TopicFileName, floor: UInt64) throws(BusError) -> FileTail? {
    do throws(BusError) {
      let (file, status) = try TopicFile.open(name.text, in: shared.directory, flags: O_RDONLY)
      refused.remove(name.text)
      return FileTail(
        name, file: file, identity: TopicFile.Identity(status), floor: floor,
        lineLimit: shared.options.lineLimit, reporter: reporter)
    } catch {
      if error.code == .notFound { return nil }
      guard [.incompatible, .permissionDenied].contains(error.code) else { throw error }
      // An active one is tried again with each listing: a squatter may be moved away.
      if name.number == nil { wantsAnotherListing = true }
      report(name, error)
      return nil
    }
  }

  private func report(_ name: TopicFileName, _ error: BusError) {
    guard refused.insert(name.text).inserted else { return }
    reporter.unusableFile(
      name.text, TopicFile.flaw(of: name.text, in: shared.directory) ?? error.message)
  }

  /// Reads `tail` from here on.
  ///
  /// - Returns: false for a file that was made after the bus was closed, which is none of ours.
  @discardableResult
  func begin(_ tail: FileTail) -> Bool {
    if let closing {
      guard closing.holds(tail) else { return false }
      tail.limit = closing.limit(of: tail)
    }
    tails[tail.topic] = tail
    noteRemovalsBefore(tail.topic)
    return true
  }
}
