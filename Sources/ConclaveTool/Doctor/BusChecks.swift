import ConclaveBus
import Glibc

/// What state one bus directory is in.
struct BusChecks {
  let location: BusLocation

  func run() -> [Finding] {
    guard location.exists else {
      return [
        .note(
          "the bus", "there is none at \(location.path) yet",
          hint: "the first publish or subscribe makes it")
      ]
    }
    do throws(BusError) {
      let directory = try location.openDirectory(create: false)
      return [room(directory)] + FolderChecks(directory).run() + policy(directory)
        + sessions(directory) + segment(directory) + files(directory) + durable(directory)
    } catch {
      return [.error("the bus", error)]
    }
  }

  // MARK: The directory

  private func room(_ directory: BusDirectory) -> Finding {
    let subject = "the bus"
    guard let system = FileSystem(of: directory.path) else {
      return .error(subject, "cannot be looked at: \(directory.path)", hint: "is it mounted?")
    }
    let free = "\(directory.path): \(readableBytes(system.free)) are free"
    if let name = system.networkName {
      return .error(
        subject, "\(directory.path) lies on \(name), where locks do not hold between hosts",
        hint: "set BUS_DIR to a directory on a local disk")
    }
    if system.free < 1 << 20 || system.freeFiles == 0 {
      return .error(subject, free, hint: "make room: nothing more can be written")
    }
    if system.free < 64 << 20 {
      return .warning(subject, free, hint: "make room, or conclave bus compact --retention ...")
    }
    return .ok(subject, free)
  }

  private func policy(_ directory: BusDirectory) -> [Finding] {
    let subject = "the policy"
    do throws(BusError) {
      guard let policy = try BusPolicy.read(of: directory) else { return [] }
      let unknown = policy.unknownNames
      guard unknown.isEmpty else {
        return [
          .warning(
            subject, "names whom this host does not know: \(unknown.joined(separator: ", "))",
            hint: "they are nobody here; correct \(BusPolicy.fileName) if they are misspelt")
        ]
      }
      return [.ok(subject, "\(BusPolicy.fileName) has rules for \(policy.rules.count) prefixes")]
    } catch {
      return [.error(subject, error)]
    }
  }

  private func sessions(_ directory: BusDirectory) -> [Finding] {
    do throws(BusError) {
      return try BusSession.staleDirectories(in: directory).map(leftBehind)
    } catch {
      return [.error("a session", error)]
    }
  }

  private func leftBehind(_ stale: BusDirectory) -> Finding {
    let owner = try? BusSession.owner(of: stale)?.owner
    let who = owner.map { "session \($0.session) of process \($0.process)" } ?? "a session"
    return .warning(
      "a session", "\(stale.path): \(who) has died and left it",
      hint: "the next session archives it; or conclave bus clean --purge-stale"
    ) {
      let archive = SessionArchive(of: location.path)
      try BusSession.clear(stale, .archive, options: BusSessionOptions(archive: archive))
      return "archived \(stale.path)"
    }
  }

  // MARK: Shared memory

  private func segment(_ directory: BusDirectory) -> [Finding] {
    let subject = "the segment"
    do throws(BusError) {
      guard let segment = try SharedMemoryBus.status(of: directory) else {
        return [.ok(subject, "there is none, so nobody takes part")]
      }
      guard segment.damage.isNone else {
        return [
          .error(
            subject, "\(segment.damage)", hint: "end who lives and run conclave bus clean")
        ]
      }
      let lanes = segment.lanes.count(where: \.isLive)
      let rows = segment.subscribers.count(where: \.isLive)
      return [.ok(subject, "is sound; \(lanes) publish and \(rows) subscribe")]
        + ParticipantChecks.run(segment) + [segment.mirror].compactMap { $0 }.flatMap(mirror)
    } catch {
      return [.error(subject, error)]
    }
  }

  private func mirror(_ mirror: SharedMemoryStatus.Mirror) -> [Finding] {
    let subject = "the mirror"
    var findings: [Finding] = []
    if mirror.isFailing {
      let why = mirror.trouble.map { " (\($0.rawValue))" } ?? ""
      findings.append(
        .error(
          subject, "cannot write\(why), and \(mirror.lag) records wait for it",
          hint: "make room or mend the disk; it goes on by itself. See conclave bus status"))
    } else if mirror.process == nil, mirror.lag > 0 {
      findings.append(
        .warning(
          subject, "there is none, and \(mirror.lag) records are in shared memory alone",
          hint: "conclave bus mirror"))
    }
    if mirror.skipped.count > 0 {
      findings.append(
        .warning(
          subject, "has left records out of the files, \(mirror.skipped.count) times",
          hint: "conclave bus status says which were the last"))
    }
    if findings.isEmpty, mirror.process != nil {
      findings.append(.ok(subject, "is \(mirror.lag) records behind"))
    }
    return findings
  }

  // MARK: Files

  private func files(_ directory: BusDirectory) -> [Finding] {
    do throws(BusError) {
      let files = try FileBus.status(of: directory)
      let unusable = try FileBus.unusableFiles(of: directory).map { file in
        Finding.error("a topic file", "\(file.path): \(file.reason)", hint: "move it away")
      }
      let soon = Timestamp(
        nanosecondsSinceEpoch: Timestamp.now().nanosecondsSinceEpoch &+ 60_000_000_000)
      let future = files.filter { $0.modified > soon }.map { file in
        Finding.warning(
          "the clock", "\(file.path) was written at \(file.modified), which is still to come",
          hint: "was the clock set back? --from times and retention by age go by it")
      }
      let bytes = files.reduce(0) { $0 &+ $1.bytes }
      let sound = Finding.ok(
        "topic files", "\(files.reduce(0) { $0 + $1.files.count }), \(readableBytes(bytes))")
      return (unusable.isEmpty && !files.isEmpty ? [sound] : []) + unusable + future
    } catch {
      return [.error("topic files", error)]
    }
  }

  private func durable(_ directory: BusDirectory) -> [Finding] {
    do throws(BusError) {
      return try MirroredBus.durableSubscriptions(of: directory).compactMap { status in
        let subject = "durable \(quoted(status.name))"
        if let failure = status.failure { return .error(subject, failure) }
        if !status.overtaken.isEmpty {
          let topics = status.overtaken.map(\.name).joined(separator: ", ")
          return .warning(
            subject, "retention has removed files it had not read: \(topics)",
            hint: "run its members, or keep more")
        }
        guard status.members.isEmpty, status.lag > 0 || status.unacknowledged > 0 else {
          return nil
        }
        return .note(
          subject,
          "nobody receives what waits: \(status.unacknowledged) claimed, up to \(status.lag) more",
          hint: "conclave bus subscribe --durable \(status.name)")
      }
    } catch {
      return [.error("durable", error)]
    }
  }
}
