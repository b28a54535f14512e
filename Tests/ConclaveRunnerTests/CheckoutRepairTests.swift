import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// A checkout whose git was killed half-way.
@Suite struct CheckoutRepairTests {
  private func torn(_ world: FleetWorld) throws -> (base: String, next: String) {
    let base = try world.commit(["same": "s\n", "gone": "g\n", "b": "old\n"], onto: world.head)
    try world.git.must(["merge", "--quiet", "--ff-only", base])
    let next = try world.commit(
      ["work": "merged\n", "gone": nil, "new": "merged\n", "b": "merged\n"], onto: base)
    try world.advance().prepare(from: base, to: next)
    return (base, next)
  }

  private func repair(_ world: FleetWorld, _ base: String, _ next: String) throws -> [String] {
    try world.repair().repair(from: base, to: next)
  }

  @Test func isPutBack() async throws {
    try await withFleetWorld { world in
      let (base, next) = try torn(world)
      Files.write("\(world.top)/.git/index.lock", "half an index")
      Files.write("\(world.top)/work", "mer")
      Files.write("\(world.top)/new", "merged\n")
      unsafe unlink("\(world.top)/gone")
      unsafe unlink("\(world.top)/b")
      #expect(try repair(world, base, next).count == 1)
      #expect(try world.status.isEmpty && world.head == base)
      let advance = world.advance()
      #expect(try advance.advance(from: base, to: next) == .done)
      #expect(try world.status.isEmpty)
    }
  }

  @Test func somebodysWorkStays() async throws {
    try await withFleetWorld { world in
      let (base, next) = try torn(world)
      Files.write("\(world.top)/.git/index.lock", "")
      Files.write("\(world.top)/work", "mine\n")
      Files.write("\(world.top)/same", "mine, too\n")
      _ = try repair(world, base, next)
      #expect(Files.text("\(world.top)/work") == "mine\n")
      #expect(Files.text("\(world.top)/same") == "mine, too\n")
    }
  }

  @Test func whatGitWasNotBegunForStays() async throws {
    try await withFleetWorld { world in
      let (base, next) = try torn(world)
      unsafe unlink("\(world.top)/gone")
      #expect(try repair(world, next, base).isEmpty)
      unsafe unlink(world.memo)
      #expect(try repair(world, base, next).isEmpty)
      #expect(try world.status == " D gone")
    }
  }

  @Test func aGitThatIsAtWorkIsLeftAlone() async throws {
    try await withFleetWorld { world in
      let (base, next) = try torn(world)
      let lock = "\(world.top)/.git/index.lock"
      Files.write(lock, "")
      let held = unsafe open(lock, O_RDONLY | O_CLOEXEC)
      defer { close(held) }
      #expect { try repair(world, base, next) } throws: { ($0 as? BusError)?.code == .busy }
      #expect(Files.exists(lock))
    }
  }
}
