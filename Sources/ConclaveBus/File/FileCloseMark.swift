import Glibc

/// How far a subscription still reads after its bus was closed: to where each file ended at that
/// moment.
struct FileCloseMark: Sendable {
  struct End: Sendable {
    var identity: TopicFile.Identity
    var size: UInt64
  }

  var ends: [String: End] = [:]
  /// Whether all files could be looked at; if not, those that are missing here are read as far as
  /// they go whenever they are looked at.
  var isComplete = true

  /// Looks at the files that match `prefix`.
  init(_ directory: OwnedDescriptor, prefix: TopicPrefix) {
    do throws(BusError) {
      for (name, topic) in try TopicFile.names(in: directory) where prefix.matches(topic) {
        guard let look = try TopicFile.look(at: name, in: directory) else { continue }
        ends[name] = End(identity: look.identity, size: look.size)
      }
    } catch { isComplete = false }
  }

  /// Whether `tail` reads a file that was there under its name.
  func holds(_ tail: FileTail) -> Bool {
    ends[tail.name].map { $0.identity == tail.identity } ?? !isComplete
  }
}
