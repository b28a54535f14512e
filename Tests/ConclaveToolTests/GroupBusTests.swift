import BusTesting
import Foundation
import Testing

/// One bus of several users, who have a group in common.
@Suite(.blocking, .enabled("needs root, to be several users") { TwoUsers.areThere })
struct GroupBusTests {
  private static let group = 50_050
  private let one = TwoUsers.asUser(51_111, group: group)
  private let two = TwoUsers.asUser(52_222, group: group)
  private let stranger = TwoUsers.asUser(53_333)

  /// A directory in which the users have one of their own; what they leave in shared memory goes.
  private func withWorld(_ body: (World) throws -> Void) throws {
    try withDirectory { directory in
      unsafe chmod(directory.path, 0o777)
      let world = World(directory: directory)
      defer { world.removeSegments() }
      try body(world)
    }
  }

  private struct World {
    let directory: URL

    /// Runs `conclave bus ...` as somebody, with the group's bus.
    func bus(_ user: String, _ words: String, umask: String = "022") throws -> Outcome {
      try Tool.shell(
        "umask \(umask); \(user) timeout -k 5 120 '\(Tool.path)' bus \(words) --bus-dir bus "
          + "--group \(GroupBusTests.group) --mode 0660 </dev/null", in: directory)
    }

    func removeSegments() {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? [] {
        let path = "/dev/shm/\(name)"
        guard name.hasPrefix("conclave-51111-") || name.hasPrefix("conclave-52222-"),
          let head = FileHandle(forReadingAtPath: path)?.readData(ofLength: 4096),
          head.range(of: Data("\(directory.path)/bus".utf8)) != nil
        else { continue }
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }

  /// Each hears the other, whoever was first, whatever the umask is, and everything that either has
  /// made the other can use: keys, places of durable subscriptions, files, the mirror's work.
  @Test(arguments: ["022", "077", "000"])
  func membersShareEverything(_ umask: String) throws {
    try withWorld { world in
      func run(_ user: String, _ words: String) throws -> Outcome {
        let outcome = try world.bus(user, words, umask: umask)
        #expect(outcome.exit == 0, "\(words): \(outcome)")
        return outcome
      }
      for (number, user) in [one, two, one, two].enumerated() {
        let words = "publish t -s s\(number) -t x -p \(number) --transport mirror"
        _ = try run(user, "\(words) --idempotency-key k\(number) --durability synced")
        // Again, by the other.
        _ = try run(user == one ? two : one, "\(words) --idempotency-key k\(number)")
        _ = try run(user, "publish f -s s -t x -p \(number) --transport file")
      }
      #expect(try run(one, "replay t").output.split(separator: "\n").count == 4)
      #expect(try run(two, "replay f").output.split(separator: "\n").count == 4)
      for (user, count) in [(two, 1), (one, 2), (two, 1)] {
        let words = "subscribe t --durable d --from beginning --count \(count)"
        #expect(try run(user, words).output.split(separator: "\n").count == count)
      }
      _ = try run(one, "compact --retention count=1")
      _ = try run(two, "status")
      let modes = try Tool.shell(
        "stat -c '%a %g %F' bus bus/* bus/.[a-z]* | sort -u", in: world.directory)
      #expect(
        modes.output
          == "2770 50050 directory\n660 50050 regular empty file\n660 50050 regular file\n",
        "\(modes)")
    }
  }

  /// Many at once make the directory, the segment and the files, and all come in.
  @Test func allMayBeTheFirst() throws {
    try withWorld { world in
      // Not `wait` of the shell, which hangs where it has inherited that SIGCHLD is blocked.
      let outcome = try Tool.shell(
        """
        seq 0 11 | xargs -P 12 -I N sh -c '
          [ $((N % 2)) -eq 0 ] && user="\(one)" || user="\(two)"
          $user timeout -k 5 120 "\(Tool.path)" bus publish t -s sN -t x -p 1 \\
            --idempotency-key kN --durability mirrored --bus-dir deep/er/bus \\
            --group \(Self.group) 2>&1'
        """, in: world.directory)
      #expect(outcome.output.isEmpty, "\(outcome)")
      let lines = try Tool.shell("cat deep/er/bus/t.jsonl | wc -l", in: world.directory)
      #expect(lines.output == "12\n")
      _ = try Tool.shell("rm -rf bus; mv deep/er/bus bus", in: world.directory)
      for name in try FileManager.default.contentsOfDirectory(atPath: "/dev/shm")
      where name.hasPrefix("conclave-5") {
        let path = "/dev/shm/\(name)"
        let head = FileHandle(forReadingAtPath: path)?.readData(ofLength: 4096)
        if head?.range(of: Data("\(world.directory.path)/deep".utf8)) != nil {
          try FileManager.default.removeItem(atPath: path)
        }
      }
    }
  }

  /// Who is no member, and who has not said that the members are trusted.
  @Test func othersAreRefused() throws {
    try withWorld { world in
      #expect(try world.bus(one, "publish t -s s -t x -p 1 --transport mirror").exit == 0)
      let before = try Tool.shell("find bus -printf '%p %m %u %s %T@\\n'", in: world.directory)
      for (user, words) in [
        (stranger, "subscribe t --count 1"), (stranger, "publish t -s s -t x -p 1"),
        (stranger, "replay t"), (stranger, "clean --yes"),
      ] {
        let named = try world.bus(user, words)
        #expect(named.exit == 7 && named.errors.contains("not in the group"), "\(named)")
      }
      for user in [one, two, stranger] {
        let plain = try Tool.shell(
          "\(user) '\(Tool.path)' bus replay t --bus-dir bus", in: world.directory)
        #expect(plain.exit == 7 && plain.errors.contains("--group"), "\(plain)")
      }
      // The kernel, without any help of ours.
      let kernel = try Tool.shell(
        "\(stranger) cat bus/t.jsonl; \(stranger) cat /dev/shm/conclave-51111-*",
        in: world.directory)
      #expect(kernel.exit != 0 && kernel.output.isEmpty)
      let after = try Tool.shell("find bus -printf '%p %m %u %s %T@\\n'", in: world.directory)
      #expect(after == before)
    }
  }

  /// What others than members could have written is not believed, whatever the directory's mode.
  @Test func whatIsOpenToOthersIsRefused() throws {
    try withWorld { world in
      #expect(try world.bus(one, "publish t -s s -t x -p 1 --transport file").exit == 0)
      _ = try Tool.shell("chmod 2775 bus; chmod 666 bus/t.jsonl", in: world.directory)
      let outcome = try world.bus(two, "publish t -s s -t x -p 1 --transport file")
      #expect(outcome.exit == 5 && outcome.errors.contains("open to others"), "\(outcome)")
    }
  }

  /// Who dies while the directory is made leaves the others able to make it.
  @Test(.enabled(if: IdempotencyKeyTests.canTrace, "needs strace"))
  func aHalfMadeDirectoryIsInNobodysWay() throws {
    try withWorld { world in
      let killed = try Tool.shell(
        "\(one) strace -f -qq -o /dev/null -e trace=fchmod -e inject=fchmod:signal=SIGKILL:when=1 "
          + "'\(Tool.path)' bus publish t -s s -t x -p 1 --bus-dir bus --group \(Self.group)",
        in: world.directory)
      #expect(killed.exit != 0)
      #expect(try world.bus(two, "publish t -s s -t x -p 1 --transport file").exit == 0)
      #expect(try world.bus(one, "publish t -s s -t x -p 1 --transport file").exit == 0)
    }
  }

  /// A policy that keeps a topic to some keeps its dead letters to them as well, and nobody takes
  /// what they could not give up.
  @Test func aPolicyHoldsForDeadLetters() throws {
    try withWorld { world in
      #expect(try world.bus(one, "publish a.b -s s -t x -p 7 --durability mirrored").exit == 0)
      let policy = """
        {"version":1,"rules":[{"prefix":"a.b","subscribe":["user:51111"]},
        {"prefix":"dead-letter.other","publish":["user:51111"]}]}
        """
      let path = "\(world.directory.path)/bus/policy.json"
      try policy.write(toFile: path, atomically: false, encoding: .utf8)
      unsafe chmod(path, 0o644)
      // Each takes the message once and gives it up, unless the machine is too busy for that.
      try eventually {
        _ = try Tool.shell(
          "sleep 0.8 | \(one) timeout -k 5 60 '\(Tool.path)' bus subscribe a.b --durable d "
            + "--ack manual --from beginning --timeout 300ms --bus-dir bus --group \(Self.group)",
          in: world.directory)
        return try world.bus(two, "replay dead-letter").output.contains("\"envelope\":null")
      }
      let refused = try world.bus(two, "subscribe open --durable other --count 1")
      #expect(refused.exit == 7 && refused.errors.contains("dead-letter.other"), "\(refused)")
      // Parts of what is not reserved can be named by their ends as well.
      #expect(try world.bus(two, "publish open -s s -t x -p 1 --durability mirrored").exit == 0)
      let first = try world.bus(two, "replay open")
      let id = try #require(first.output.firstMatch(of: /"id":"([^"]+)"/)).1
      #expect(try world.bus(two, "replay open --to \(id)") == first)
      #expect(try world.bus(two, "replay").exit == 7)
    }
  }

  /// Whoever has made the segment can remove it; the sticky bit of /dev/shm keeps the others off.
  @Test func onlyItsMakerRemovesTheSegment() throws {
    try withWorld { world in
      #expect(try world.bus(one, "publish t -s s -t x -p 1").exit == 0)
      let other = try world.bus(two, "clean --yes")
      #expect(other.exit == 7 && other.errors.contains("who made it"), "\(other)")
      #expect(try world.bus(two, "publish t -s s -t x -p 1").exit == 0)
      #expect(try world.bus(one, "clean --yes").exit == 0)
      #expect(try world.bus(two, "publish t -s s -t x -p 1").exit == 0)
    }
  }

  @Test(arguments: [
    "--mode 0660", "--mode 0666 --group 0", "--mode 0640 --group 0", "--mode 0600 --group 0",
    "--group no-such-group",
  ])
  func contradictionsAreRefused(_ words: String) throws {
    try withDirectory { directory in
      let outcome = try Tool.shell(
        "'\(Tool.path)' bus publish t -s s -t x -p 1 --bus-dir bus \(words)", in: directory)
      #expect(outcome.exit == 2 && outcome.errors.contains("; "), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/bus"))
    }
  }

  /// A private bus does not become a shared one, nor the other way round, by what a caller says.
  @Test func whatItIsItStays() throws {
    try withWorld { world in
      let own = "\(one) '\(Tool.path)' bus publish t -s s -t x -p 1 --bus-dir bus"
      #expect(try Tool.shell(own, in: world.directory).exit == 0)
      let outcome = try world.bus(one, "publish t -s s -t x -p 1")
      #expect(outcome.exit == 7 && outcome.errors.contains("made for the group"), "\(outcome)")
      let look = try Tool.shell("stat -c %a bus", in: world.directory)
      #expect(look.output == "700\n")
    }
  }
}
