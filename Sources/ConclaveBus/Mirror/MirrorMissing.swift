/// What is not in the files of all that the ring has lost.
extension MirrorIntake {
  /// What of these positions of the ring, which rise, the files do not have. A mirror before this
  /// one may have written some of them, ahead of others that it could not write. O(what the files
  /// have from there on).
  func missing(_ lost: [Range<UInt64>]) -> [Range<UInt64>] {
    guard let first = lost.first, let last = lost.last else { return [] }
    let end = max(first.lowerBound, last.upperBound)
    var written = written(first.lowerBound..<end)[...]
    var stretches: [Range<UInt64>] = []
    for positions in lost {
      var next = positions.lowerBound
      while let position = written.first, position < positions.upperBound {
        written.removeFirst()
        guard position >= next else { continue }
        if next < position { stretches.append(next..<position) }
        next = position + 1
      }
      if next < positions.upperBound { stretches.append(next..<positions.upperBound) }
    }
    return stretches
  }

  /// Those that the files have, rising. What cannot be read has none.
  private func written(_ positions: Range<UInt64>) -> [UInt64] {
    let start = LogStart(position: base &+ positions.lowerBound, withForeign: false)
    var found: [UInt64] = []
    for topic in (try? TopicHistory(in: bus.shared.directory))?.topics.keys.map({ $0 }) ?? [] {
      let reading = LogTopic(topic, bus.shared, start, FileReporter(onWarning: nil))
      while (try? reading.advance()) == true, let tail = reading.tail, let head = tail.head {
        guard let place = head.parts.position, place &- base < positions.upperBound else { break }
        found.append(place &- base)
        tail.consumeHead()
      }
    }
    return found.sorted()
  }
}
