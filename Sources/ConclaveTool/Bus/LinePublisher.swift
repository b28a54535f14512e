import ConclaveBus

/// Publishes standard input line by line, as many lines at a time as are there.
struct LinePublisher {
  private let publisher: Publisher
  private let form: PayloadForm
  /// How many lines were read.
  private var lineNumber = 0
  /// How many messages are acknowledged.
  private(set) var published = 0
  /// How many are on the bus, but not known to be as durable as was asked for.
  private(set) var unconfirmed = 0
  /// Whether a message on the bus is acknowledged only later.
  let promises: Bool

  init(_ publisher: Publisher, _ form: PayloadForm, promises: Bool) {
    self.publisher = publisher
    self.form = form
    self.promises = promises
  }

  /// Publishes up to the end of `input`.
  ///
  /// - Throws: `BusError` that names the line; what came before it is published.
  mutating func publishAll(of input: inout Input) throws(BusError) {
    while let lines = try nextLines(&input) {
      var batch: [(line: Int, payload: RawJSON)] = []
      var refused: BusError?
      for line in lines {
        lineNumber += 1
        do throws(BusError) {
          if let payload = try form.payload(line: line) { batch.append((lineNumber, payload)) }
        } catch {
          refused = error.at(line: lineNumber)
          break
        }
      }
      try publish(batch)
      if let refused { throw refused }
    }
  }

  private func nextLines(_ input: inout Input) throws(BusError) -> [[UInt8]]? {
    do throws(BusError) {
      return try input.nextLines()
    } catch { throw error.at(line: lineNumber + 1) }
  }

  private mutating func publish(_ batch: [(line: Int, payload: RawJSON)]) throws(BusError) {
    do throws(PublishFailure) {
      published += try publisher.publish(batch: batch.map(\.payload))
    } catch {
      note(error.published)
      // One that is too large has kept all from being published: those before it are not to blame.
      guard error.cause.code == .messageTooLarge else { throw error.cause }
      try publishOneByOne(batch[error.published...])
    }
  }

  private mutating func publishOneByOne(
    _ batch: ArraySlice<(line: Int, payload: RawJSON)>
  ) throws(BusError) {
    for (line, payload) in batch {
      do throws(PublishFailure) {
        published += try publisher.publish(batch: [payload])
      } catch {
        note(error.published)
        throw error.cause.code == .messageTooLarge ? error.cause.at(line: line) : error.cause
      }
    }
  }

  /// So many are on the bus of a batch that has failed.
  private mutating func note(_ count: Int) {
    if promises { unconfirmed += count } else { published += count }
  }
}

extension BusError {
  fileprivate func at(line: Int) -> BusError {
    BusError(code, "line \(line): \(message)", hint: hint)
  }
}
