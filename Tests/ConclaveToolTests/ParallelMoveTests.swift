import BusTesting
import Foundation
import Glibc
import Testing

/// Runs whose git cannot move the user's checkout to the end: it is put back, and the run goes on.
@Suite(.heavy, .blocking) struct ParallelMoveTests {
  /// A task that adds, changes and replaces files, the last of them one with a filter.
  private static let script = """
    echo a > a-new; echo more >> work; mkdir n; echo n > n/o; echo new > z.slow
    """

  /// A filter that does `end` once, in the checkout of the user alone. `$PPID` is git, `$run` the
  /// command that has started it.
  private func prepare(_ world: ParallelWorld, _ end: String) throws {
    try world.write(
      "filter.sh",
      """
      #!/bin/sh
      run=$(sed 's/.*) . //; s/ .*//' /proc/$PPID/stat)
      flag='\(world.home.path)/flag'
      if [ -d .git ] && [ -e "$flag" ]; then rm "$flag"; \(end); fi
      exec cat
      """)
    _ = try world.shell(
      """
      echo '*.slow filter=slow' > .gitattributes; echo old > z.slow
      git add -A && git commit -qm second
      chmod +x '\(world.home.path)/filter.sh'
      git config filter.slow.smudge '\(world.home.path)/filter.sh'
      git config filter.slow.clean cat; git config filter.slow.required true
      """)
    try world.prepare([.init(id: 1)], agent: ParallelMoveTests.script)
    try world.write("flag", "")
  }

  /// The checkout is as it was, and the run ends well once it goes on.
  private func expectRecovery(_ world: ParallelWorld) throws {
    #expect(try world.shell("git status --porcelain") == "")
    #expect(try !doctor(world).contains("a merge"))
    let resumed = try world.resume()
    #expect(resumed.exit == 0, "\(resumed.errors)")
    #expect(try world.shell("cat a-new n/o z.slow") == "a\nn\nnew")
    try world.expectTidy()
  }

  private func doctor(_ world: ParallelWorld) throws -> String {
    try world.conclave(["doctor", "--json"]).output
  }

  @Test func aFilterThatFails() throws {
    try withParallelWorld { world in
      try prepare(world, "exit 1")
      let outcome = try world.run()
      #expect(outcome.exit == 70 && outcome.errors.contains("z.slow"), "\(outcome.errors)")
      #expect(outcome.errors.contains("--resume"))
      try expectRecovery(world)
    }
  }

  /// As when the machine is shut down: everything gets the signal, git first.
  @Test(arguments: [(SIGTERM, 143), (SIGINT, 130)] as [(Int32, Int32)])
  func aSignalToEverything(_ signal: Int32, _ code: Int32) throws {
    try withParallelWorld { world in
      try prepare(world, "kill -\(signal) $PPID; kill -\(signal) $run; exit 1")
      let outcome = try world.run()
      #expect(outcome.exit == code, "\(outcome.errors)")
      #expect(outcome.errors.contains("go on with --resume"))
      try expectRecovery(world)
    }
  }

  @Test(arguments: ["TERM", "KILL"]) func aSignalToGitAlone(_ signal: String) throws {
    try withParallelWorld { world in
      try prepare(world, "kill -\(signal) $PPID; exit 1")
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(try world.shell("cat a-new n/o z.slow") == "a\nn\nnew")
      try world.expectTidy()
    }
  }

  @Test func whoeverKillsGitEachTime() throws {
    try withParallelWorld { world in
      // Not what puts the checkout back.
      try prepare(
        world,
        """
        echo > "$flag"
        tr '\\0' ' ' < /proc/$PPID/cmdline | grep -q ' merge ' && kill -TERM $PPID && exit 1
        """)
      let outcome = try world.run()
      #expect(outcome.exit == 70 && outcome.errors.contains("SIGTERM"), "\(outcome.errors)")
      _ = try world.shell("rm ../flag")
      try expectRecovery(world)
    }
  }

  @Test(arguments: ["--resume", "doctor"]) func everythingIsKilled(_ who: String) throws {
    try withParallelWorld { world in
      try prepare(world, "kill -KILL $run; kill -KILL $PPID; exit 1")
      #expect(try world.run().exit == -SIGKILL)
      #expect(try world.shell("git status --porcelain") != "")
      let report = try doctor(world)
      #expect(report.contains("a merge") && report.contains("4 files"), "\(report)")
      guard who == "doctor" else {
        let resumed = try world.resume()
        #expect(resumed.exit == 0 && resumed.errors.contains("put back"), "\(resumed.errors)")
        return try world.expectTidy()
      }
      _ = try world.conclave(["doctor", "--fix"])
      try expectRecovery(world)
    }
  }

  /// Files that nobody may replace: a file system that is mounted to be read, for root, who may
  /// write wherever he can.
  @Test func aDirectoryThatMayNotBeWritten() throws {
    try withParallelWorld { world in
      try prepare(world, "true")
      _ = try world.shell("mkdir d; echo d > d/a; git add -A; git commit -qm third")
      try world.setAgent("\(ParallelMoveTests.script); echo y >> d/a; echo z > d/new")
      let folder = world.top.path + "/d"
      let isRoot = geteuid() == 0
      if isRoot {
        let flags = UInt(MS_BIND)
        guard unsafe mount(folder, folder, "", flags, nil) == 0,
          unsafe mount("", folder, "", flags | UInt(MS_REMOUNT) | UInt(MS_RDONLY), nil) == 0
        else { return }
      } else {
        unsafe chmod(folder, 0o555)
      }
      let outcome = try world.run()
      if isRoot { unsafe umount2(folder, Int32(MNT_DETACH)) } else { unsafe chmod(folder, 0o755) }
      #expect(outcome.exit == 7, "\(outcome.errors)")
      try expectRecovery(world)
    }
  }

  /// The repository has a file system of its own; the tasks work on another one.
  @Test(.enabled("only root may mount") { geteuid() == 0 })
  func aFullDisk() throws {
    try withParallelWorld { world in
      let disk = world.home.appendingPathComponent("disk").path
      try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
      guard unsafe mount("tmpfs", disk, "tmpfs", 0, "size=24m,mode=0700") == 0 else { return }
      defer { unsafe umount2(disk, Int32(MNT_DETACH)) }
      let small = ParallelWorld(
        home: world.home, top: URL(fileURLWithPath: disk + "/repo"),
        environment: world.environment)
      _ = try world.shell("git clone -q . '\(disk)/repo'")
      _ = try small.shell("git config user.name T; git config user.email t@localhost")
      // Small in git's objects, and not in a checkout.
      try small.prepare(
        [.init(id: 1)],
        agent: "\(ParallelMoveTests.script); yes xxxxxxxxxxxxxxx | head -c 40000000 > m-big")
      let trees = world.home.path + "/trees"
      let agent = ["--agent", "\(world.home.path)/agent.json"]
      let arguments =
        ["parallel-run"] + agent
        + ["--plan", "\(world.home.path)/plan.md", "--worktree-dir", trees]
      let outcome = try small.conclave(arguments)
      #expect(outcome.exit == 8, "\(outcome.errors)")
      #expect(try small.shell("git status --porcelain") == "")
      let flags = UInt(MS_REMOUNT)
      #expect(unsafe mount("tmpfs", disk, "tmpfs", flags, "size=200m") == 0)
      let resumed = try small.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(try small.shell("git status --porcelain; cat a-new; wc -c < m-big") == "a\n40000000")
    }
  }
}
