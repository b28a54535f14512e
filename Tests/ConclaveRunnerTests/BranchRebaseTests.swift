import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// A branch that somebody rebases is not moved under the rebase.
@Suite struct BranchRebaseTests {
  private static let update = "--update-refs"

  /// Each stops at a conflict; the last moves the branch as one of several.
  @Test(arguments: ["--merge", "--apply", update])
  func isNotMoved(_ how: String) async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let onto = try world.commit(["work": "onto\n"], onto: base)
      let old = try world.commit(["work": "mine\n"], onto: base)
      try world.git.must(["merge", "--quiet", "--ff-only", old])
      if how == Self.update {
        try world.git.must(["switch", "--quiet", "-c", "above"])
        try world.git.must(["commit", "--quiet", "--allow-empty", "-m", "above"])
      }
      let rebase = try world.git.run(["rebase", "--quiet", how, onto])
      #expect(!rebase.succeeded)
      let next = try world.commit(["new": "n\n"], onto: old)
      let outcome = try world.advance().advance(from: old, to: next)
      guard case .refused(let words) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(words.contains("rebase") && words.contains(world.top), "\(words)")
      #expect(try world.git.must(["rev-parse", "feature"]) == old)

      Files.write("\(world.top)/work", "both\n")
      try world.git.must(["add", "work"])
      try world.git.must(["-c", "core.editor=true", "rebase", "--continue"])
      let now = try world.git.must(["rev-parse", "feature"])
      #expect(try world.content("work", in: now) == "both\n")
      #expect(try world.advance().advance(from: old, to: next) == .moved(to: now))
    }
  }

  /// Of another branch, it is nobody's concern.
  @Test func anotherBranchIs() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let onto = try world.commit(["work": "onto\n"], onto: base)
      try world.git.must(["switch", "--quiet", "-c", "other"])
      try world.git.must(["merge", "--quiet", "--ff-only", world.commit(["work": "x"], onto: base)])
      #expect(try !world.git.run(["rebase", "--quiet", onto]).succeeded)
      let next = try world.commit(["new": "n\n"], onto: base)
      #expect(try world.advance().advance(from: base, to: next) == .done)
    }
  }
}
