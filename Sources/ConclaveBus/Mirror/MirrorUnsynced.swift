import Glibc

/// What the disk may not have, though it is in the files: a sync failed.
struct MirrorUnsynced {
  /// In the log.
  var places: Range<UInt64>
  /// Of which topic; 0: of several, or nobody knows of which.
  var subject: UInt32
  var reason: String

  /// Both in one.
  static func + (left: MirrorUnsynced?, right: MirrorUnsynced) -> MirrorUnsynced {
    guard let left else { return right }
    let first = min(left.places.lowerBound, right.places.lowerBound)
    return MirrorUnsynced(
      places: first..<max(left.places.upperBound, right.places.upperBound),
      subject: left.subject == right.subject ? left.subject : 0, reason: left.reason)
  }
}

/// Forces to the disk what mirrors before this one wrote and nobody is known to have forced there.
struct MirrorInheritance {
  /// From this place on, up to where the log had come when this one took over.
  let places: Range<UInt64>

  /// Every file that has such messages, whoever wrote them; also after one has failed. (A
  /// descriptor that is only read from will do: fdatasync(2) is about the file.)
  func synchronize(in shared: FileBusShared) -> MirrorUnsynced? {
    var failed: MirrorUnsynced?
    do throws(BusError) {
      for (topic, files) in try TopicHistory(in: shared.directory).topics {
        do throws(BusError) { try synchronize(topic, files, in: shared.directory) } catch {
          failed =
            failed
            + MirrorUnsynced(
              places: places, subject: topic.subject, reason: error.message)
        }
      }
      if fsync(shared.directory.number) != 0 { throw .system("force to the disk", shared.path) }
    } catch {
      failed = failed + MirrorUnsynced(places: places, subject: 0, reason: error.message)
    }
    return failed
  }

  private func synchronize(
    _ topic: Topic, _ files: TopicHistory.Files, in directory: OwnedDescriptor
  ) throws(BusError) {
    let names = [nil] + files.rotated.reversed().map { Optional($0) }
    for name in names.map({ TopicFileName(topic, number: $0) }) {
      do throws(BusError) {
        guard let last = try TopicFile.lastPosition(in: name, directory) else { continue }
        if last < places.lowerBound { return }
        let file = try TopicFile.open(name.text, in: directory, flags: O_RDONLY).descriptor
        if fdatasync(file.number) != 0 { throw .system("force to the disk", name.text) }
      } catch {
        // What cannot be used as a topic file has nothing of a mirror's.
        guard [.incompatible, .permissionDenied].contains(error.code) else { throw error }
      }
    }
  }
}
