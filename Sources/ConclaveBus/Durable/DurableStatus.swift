import CShim
import Glibc

/// A durable subscription as it looks from outside.
public struct DurableStatus: Hashable, Sendable {
  /// A member that lives.
  public struct Member: Hashable, Sendable {
    public var process: UInt32
    /// How many messages it has that it has not acknowledged.
    public var unacknowledged: Int
  }

  public var name: String
  /// The journal's file.
  public var path: String
  /// Why it cannot be used: it is damaged, of another version, or not to be read. Then there is
  /// only the name.
  public var failure: BusError?
  public var prefix = ""
  /// Every message before this place of the log is acknowledged: what lies behind it must not be
  /// removed.
  public var position: UInt64 = 0
  /// Every message before this place has been claimed by a member.
  public var claimed: UInt64 = 0
  /// Messages that were claimed and are not acknowledged; more may wait behind ``claimed``.
  public var unacknowledged = 0
  /// How many places the last message in its topics' files lies behind ``claimed``: at most so many
  /// messages wait.
  public var lag: UInt64 = 0
  /// Those that live, by slot.
  public var members: [Member] = []
  /// Topics of which retention has removed messages that lay behind ``position``, all or some of
  /// which may be lost.
  public var overtaken: [Topic] = []
}

extension MirroredBus {
  /// The durable subscriptions of a bus directory, by name. Makes nothing and disturbs nobody; a
  /// damaged one is listed with what is wrong with it.
  ///
  /// - Throws: `notFound`, `permissionDenied`, `incompatible` when something else is called
  ///   `.durable`; `exhausted`, `system`.
  public static func durableSubscriptions(
    of directory: BusDirectory
  ) throws(BusError) -> [DurableStatus] {
    let descriptor = try directory.open()
    guard try TopicFile.status(of: DurableFolder.name, in: descriptor) != nil else { return [] }
    let folder = try PrivateFolder.existing(DurableFolder.name, in: descriptor)
    var found: [DurableStatus] = []
    for name in try DurableFolder.names(in: folder) {
      let journal = DurableFolder.journal(of: name)
      var status = DurableStatus(
        name: name.text, path: "\(directory.path)/\(DurableFolder.name)/\(journal)")
      do throws(BusError) {
        try status.fill(name, folder: folder, directory: descriptor)
      } catch { status.failure = error }
      found.append(status)
    }
    return found
  }
}

extension DurableStatus {
  fileprivate mutating func fill(
    _ name: DurableName, folder: OwnedDescriptor, directory: OwnedDescriptor
  ) throws(BusError) {
    let replay = try DurableJournal.look(name, in: folder)
    var state = replay.state
    // What the next member will find.
    if let history = try? MirrorBase.history(in: directory), let newest = history.segments.last {
      for entry in history.entries(after: state, to: newest) ?? [] { state.apply(entry) }
    }
    prefix = replay.prefix
    position = state.position
    claimed = state.next
    unacknowledged = state.items.count
    members = try DurableStatus.members(state, name, folder)
    let end = try DurableStatus.end(TopicPrefix(prefix), directory)
    lag = end - min(claimed, end)
    overtaken = try DurableStatus.overtaken(TopicPrefix(prefix), position, directory)
  }

  private static func overtaken(
    _ prefix: TopicPrefix, _ position: UInt64, _ directory: OwnedDescriptor
  ) throws(BusError) -> [Topic] {
    RetentionLedger(try RetentionLedger.bytes(in: directory)).entries
      .filter { topic, removed in
        prefix.matches(topic) && removed.position.map { $0 >= position } ?? false
      }
      .map(\.key).sorted { $0.name < $1.name }
  }

  private static func members(
    _ state: DurableState, _ name: DurableName, _ folder: OwnedDescriptor
  ) throws(BusError) -> [Member] {
    let file: OwnedDescriptor
    do throws(BusError) {
      file = try DurableFolder.open(DurableFolder.lock(of: name), in: folder, flags: O_RDONLY)
    } catch {
      // Somebody removed it; no member lives who did not make it anew.
      if error.code == .notFound { return [] }
      throw error
    }
    return state.members.sorted { $0.key < $1.key }.compactMap { slot, process in
      guard conclave_lock_held(file.number, DurableGroup.firstSlotByte + Int64(slot), 1) != 0
      else { return nil }
      return Member(
        process: process, unacknowledged: state.items.values.count { $0.holder == slot })
    }
  }

  /// Behind the last message in the files below a prefix.
  private static func end(
    _ prefix: TopicPrefix, _ directory: OwnedDescriptor
  ) throws(BusError) -> UInt64 {
    var end: UInt64 = 0
    for topic in try TopicHistory(in: directory).topics.keys where prefix.matches(topic) {
      do throws(BusError) {
        let last = try TopicFile.lastPosition(of: topic, in: directory)
        end = max(end, last?.addingSaturating(1) ?? 0)
      } catch {
        guard error.code == .incompatible || error.code == .permissionDenied else { throw error }
      }
    }
    return end
  }
}

extension DurableStatus {
  /// For ``FileBusOptions/retentionGuard``: names the durable subscriptions to a file's topic that
  /// have not acknowledged everything up to its end. With several topics below a prefix a name may
  /// come that has all of this one, but not of another. ``MirroredBus`` uses it unless it is given
  /// another one.
  public static func retentionGuard(of directory: BusDirectory) -> RetentionGuard {
    { file in
      guard let last = file.lastPosition,
        let all = try? MirroredBus.durableSubscriptions(of: directory)
      else { return [] }
      return all.filter { status in
        status.failure == nil && status.position <= last
          && (try? TopicPrefix(status.prefix))?.matches(file.topic) == true
      }.map(\.name)
    }
  }
}
