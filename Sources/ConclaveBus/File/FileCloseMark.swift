import Glibc

/// How far a subscription still reads after its bus was closed: to where each topic ended at that
/// moment.
struct FileCloseMark: Sendable {
  struct End: Sendable {
    /// The files with numbers up to this are read to their ends.
    var number: UInt64
    /// The active file, if there was one, and its size.
    var active: TopicFile.Look?
  }

  private var ends: [Topic: End] = [:]
  /// Whether all files could be looked at; if not, those that are missing here are read as far as
  /// they go whenever they are looked at.
  private var isComplete = true

  /// Looks at the files that match `prefix`.
  init(_ directory: OwnedDescriptor, prefix: TopicPrefix) {
    do throws(BusError) {
      for (topic, files) in try TopicHistory(in: directory).topics where prefix.matches(topic) {
        let active = try TopicFile.look(at: TopicFileName(topic).text, in: directory)
        var end = End(number: files.rotated.last ?? 0, active: active)
        // What was rotated between the listing and the look.
        while end.number < TopicFileName.greatestNumber {
          let next = TopicFileName(topic, number: end.number + 1).text
          guard let look = try TopicFile.look(at: next, in: directory),
            look.identity != active?.identity
          else { break }
          end.number += 1
        }
        ends[topic] = end
      }
    } catch { isComplete = false }
  }

  /// Whether `tail` reads a file that was there.
  func holds(_ tail: FileTail) -> Bool {
    guard let end = ends[tail.topic] else { return !isComplete }
    if let number = tail.number, number <= end.number { return true }
    return end.active?.identity == tail.identity
  }

  /// How far to read in a file that was there, in bytes; nil for all of it.
  func limit(of tail: FileTail) -> UInt64? {
    guard let active = ends[tail.topic]?.active, active.identity == tail.identity else {
      return nil
    }
    return active.size
  }
}
