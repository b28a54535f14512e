extension TopicAppender.State {
  mutating func index(of sender: String) -> Int {
    if let known = senders[sender] { return known }
    nextSeq.append(1)
    senders[sender] = nextSeq.count - 1
    return nextSeq.count - 1
  }

  /// Makes a line with the sender's next number and puts it into the batch.
  ///
  /// - Throws: `messageTooLarge`.
  mutating func addLine(
    _ template: EnvelopeTemplate, sender: Int, counter: UInt64, payload: UnsafeRawBufferPointer,
    key: String? = nil, options: FileBusOptions
  ) throws(BusError) {
    let length = unsafe batch.append(
      template, sender: sender, counter: counter, seq: nextSeq[sender], payload: payload,
      key: key)
    nextSeq[sender] += 1
    guard length <= options.lineLimit else {
      throw BusError(
        .messageTooLarge, "a payload of \(payload.count) bytes makes a line of \(length) bytes",
        hint: "write it with fewer line feeds")
    }
  }

  /// Makes the numbers of the batch's lines from `first` on free again: they were not published.
  mutating func takeBackNumbers(from first: Int) {
    for line in batch.lines[min(first, batch.lines.count)...] where line.sender >= 0 {
      nextSeq[line.sender] -= 1
    }
  }
}
