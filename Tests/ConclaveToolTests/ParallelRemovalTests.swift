import BusTesting
import Foundation
import Glibc
import Testing

/// Worktrees that git cannot remove, or only in part.
@Suite(.blocking) struct ParallelRemovalTests {
  /// As the module cache of Go is made.
  private static let cache = """
    [ -d cache ] || { mkdir -p cache/mod; echo x > cache/mod/f; ln -s "$PWD" cache/self
    chmod 555 cache/mod cache; }
    """

  /// In the tasks' worktrees, and in the one where merged work is tested; a task is done again.
  @Test func readOnlyDirectories() throws {
    try withParallelWorld(tests: ParallelRemovalTests.cache) { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)], agent: "\(ParallelRemovalTests.cache)\necho $task >> work")
      _ = try world.shell("echo cache > .gitignore; git add -A; git commit -qm ignore")
      let line = "conclave parallel-run --agent ../agent.json --plan ../plan.md"
      for _ in 1...2 {
        let outcome = try world.asNobody(line)
        #expect(outcome.exit == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("conflicts in work"), "\(outcome.errors)")
        let rest = try world.asNobody("ls -A; git worktree list; git branch; conclave doctor")
        #expect(!rest.output.contains(".worktrees") && !rest.output.contains("task/"))
      }
    }
  }

  /// The place where something is mounted can be removed by nobody.
  @Test(.enabled("only root may mount") { geteuid() == 0 })
  func whatStaysIsNamed() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)], agent: "mkdir -p c; mount -t tmpfs tmpfs c; echo $task >> work")
      let tree = ".worktrees/task-1-thing-1"
      defer { unsafe umount2("\(world.top.path)/\(tree)/c", Int32(MNT_DETACH)) }
      let outcome = try world.run()
      guard try world.shell("mount").contains(tree) else { return }
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("\(tree)/c") && outcome.errors.contains("cannot be removed"))
      #expect(try world.branches == ["feature"])
      let doctor = try world.conclave(["doctor"])
      #expect(doctor.output.contains("\(tree)"), "\(doctor.output)")
      #expect(doctor.output.contains("could not be removed"), "\(doctor.output)")
      #expect(try world.run().exit == 5)
      _ = try world.shell("umount \(tree)/c; rm -r \(tree)")
      #expect(try !world.conclave(["doctor"]).output.contains(tree))
      #expect(try world.run().exit == 0 || world.run(["--fresh"]).exit == 0)
    }
  }
}
