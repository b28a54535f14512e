import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// Git that does not end moving the checkout: it ends by itself, or is killed, at a file whose
/// filter sees to it.
@Suite struct CheckoutMoveTests {
  private static let before = """
    for name in work b-gone f zz.slow; do echo "old $name" > $name; done
    echo true > mode.sh; ln -s v1 current; mkdir -p d/e; echo x > d/x; echo y > d/e/y
    echo small > big.bin; echo old > "$(printf 'caf\\351.txt')"; ln -s nowhere link
    """
  private static let changes: [(name: String, line: String)] = [
    ("a mode", "chmod +x mode.sh"), ("a symbolic link", "ln -sfn v2 current"),
    ("a large file", "head -c 20000000 /dev/zero | tr '\\0' x > big.bin"),
    ("no UTF-8", "echo new > \"$(printf 'caf\\351.txt')\""),
    ("a directory becomes a file", "rm -r d; echo file > d"),
    ("a file becomes a directory", "rm f; mkdir -p f/g; echo x > f/g/x"),
    ("a file becomes a link", "rm work; ln -s mode.sh work"),
    ("a link becomes a directory", "rm link; mkdir link; echo l > link/l"),
    ("new, gone, and changed", "mkdir -p n/m; echo n > n/m/o; rm b-gone; echo more >> work"),
  ]
  /// What the filter does to git.
  private static let ends = ["kill -KILL $PPID", "kill -TERM $PPID", "exit 1"]

  @discardableResult
  private func shell(_ world: FleetWorld, _ line: String) throws -> String {
    let child = try ChildProcess("/bin/sh", ["-ec", "cd '\(world.top)'\n\(line)"])
    child.closeInput()
    guard try child.wait() == .code(0) else {
      throw SystemFailure("\(line): \(child.standardError)", errorNumber: EINVAL)
    }
    return child.standardOutput
  }

  /// Two commits, and a filter that does `end` once.
  private func prepare(
    _ world: FleetWorld, _ change: String, _ end: String
  ) throws -> (base: String, next: String) {
    try shell(world, "\(Self.before)\ngit add -A; git commit -qm base")
    let base = try world.head
    try shell(
      world, "\(change)\necho new > zz.slow; git add -A; git commit -qm next; git tag next")
    let next = try world.head
    let filter = world.world.home.appending("filter.sh")
    let flag = world.world.home.appending("flag")
    // Git starts it without another shell in between, so that its parent is git.
    Files.write(
      filter, "#!/bin/sh\nif [ -e '\(flag)' ]; then rm '\(flag)'; \(end); fi; exec cat\n",
      executable: true)
    try shell(
      world,
      """
      git reset -q --hard \(base)
      git config filter.slow.smudge '\(filter)'; git config filter.slow.clean cat
      git config filter.slow.required true
      echo '*.slow filter=slow' > .git/info/attributes
      echo > '\(flag)'
      """)
    return (base, next)
  }

  /// What the checkout has: names, types, modes, contents.
  private func state(_ world: FleetWorld) throws -> String {
    try shell(
      world,
      """
      find . -name .git -prune -o -printf '%p %y %m %l\\n' | LC_ALL=C sort
      find . -name .git -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha1sum
      git ls-files -s; git status --porcelain
      """)
  }

  @Test(arguments: ends, changes.map(\.name) + ["everything"])
  func isPutBack(_ end: String, _ name: String) async throws {
    try await withFleetWorld { world in
      let lines = Self.changes.filter { name == "everything" || $0.name == name }
      // The link becomes what the other line would change.
      let chosen =
        name == "everything" ? lines.filter { $0.name != "a file becomes a link" } : lines
      let (base, next) = try prepare(world, chosen.map(\.line).joined(separator: "\n"), end)
      Files.write("\(world.top)/mine", "mine\n")
      Files.write("\(world.top)/test", "mine, too\n")
      let state = try state(world)
      let outcome = try world.advance().advance(from: base, to: next)
      switch outcome {
      case .killed: #expect(end != "exit 1")
      case .failed(let error): #expect(end == "exit 1" && error.code == .system)
      default: Issue.record("\(outcome)")
      }
      #expect(try self.state(world) == state)
      #expect(!Files.exists(world.memo))
      #expect(try world.advance().advance(from: base, to: next) == .done)
      #expect(try world.status == "?? mine\n?? test" && world.head == next)
    }
  }

  /// The branch is last: everything else is moved by then, the index as well.
  @Test func aBranchThatCannotBeMoved() async throws {
    try await withFleetWorld { world in
      let line = Self.changes.filter { $0.name != "a file becomes a link" }.map(\.line)
      let (base, next) = try prepare(world, line.joined(separator: "\n"), "true")
      let state = try state(world)
      let lock = "\(world.top)/.git/refs/heads/feature.lock"
      Files.write(lock, "")
      let outcome = try world.advance().advance(from: base, to: next)
      guard case .failed = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(try self.state(world) == state)
      unsafe unlink(lock)
      #expect(try world.advance().advance(from: base, to: next) == .done)
      #expect(try world.status.isEmpty)
    }
  }

  /// What somebody does while git is at work, whatever it is, is not ours to undo.
  @Test(arguments: ends)
  func whatSomebodyDoesMeanwhileStays(_ end: String) async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(
        world, "echo new > b-gone; mkdir -p n; echo n > n/o; echo more >> work",
        "echo mine > b-gone; echo mine > n/mine; echo mine >> work; \(end)")
      let outcome = try world.advance().advance(from: base, to: next)
      #expect(outcome != .done)
      #expect(
        try world.status == " M b-gone\n M work\n?? n/mine" && world.head == base)
      #expect(Files.text("\(world.top)/b-gone") == "mine\n")
      #expect(Files.text("\(world.top)/work") == "old work\nmore\nmine\n")
    }
  }

  /// A directory that has something of somebody's cannot become a file again.
  @Test func whatIsInTheWayIsNamed() async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(
        world, "rm f; mkdir f; echo x > f/x", "echo mine > f/mine; exit 1")
      let outcome = try world.advance().advance(from: base, to: next)
      guard case .torn(let error) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(error.message.contains("instance \"f\""), "\(error.message)")
      #expect(Files.text("\(world.top)/f/mine") == "mine\n")
      #expect(try world.repair().find(from: base, to: next)?.files == 1)
      try shell(world, "rm -r f")
      #expect(try world.repair().repair(from: base, to: next).count == 1)
      #expect(try world.status.isEmpty && world.repair().find(from: base, to: next) == nil)
    }
  }

  /// Git refuses before it begins; that it looks like git's work does not make it so.
  @Test(arguments: ["echo new > new", "echo new > work", "echo new > work; git add work; rm work"])
  func whatWasSomebodysStays(_ line: String) async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(world, "echo new > work; echo new > new", "exit 1")
      try shell(world, line)
      let state = try state(world)
      let outcome = try world.advance().advance(from: base, to: next)
      #expect(outcome != .done)
      #expect(try self.state(world) == state)
    }
  }

  /// What the user has had git overlook is the user's all the same, whatever it looks like.
  @Test(
    arguments: ["--skip-worktree", "--assume-unchanged"],
    ["new", "new and mine", "mine", "ne", "", "nothing"])
  func whatGitIsToOverlookStays(_ flag: String, _ text: String) async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(world, "echo new > work; echo new > b-gone", "true")
      try shell(world, "git update-index \(flag) work b-gone")
      if text == "nothing" {
        try shell(world, "rm work")
      } else {
        Files.write("\(world.top)/work", text)
      }
      let state = try state(world)
      let outcome = try world.advance().advance(from: base, to: next)
      if outcome != .done { #expect(try self.state(world) == state) }
      // Git makes anew what is not there.
      let made = outcome == .done ? "new\n" : ""
      #expect(Files.text("\(world.top)/work") == (text == "nothing" ? made : text))
    }
  }

  @Test(arguments: ["true", "exit 1"])
  func whatGitIsToOverlookAndNobodyHasEdited(_ end: String) async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(world, "echo new > work", end)
      try shell(world, "git update-index --assume-unchanged work")
      let state = try state(world)
      let outcome = try world.advance().advance(from: base, to: next)
      #expect((outcome == .done) == (end == "true"))
      if end == "true" {
        #expect(Files.text("\(world.top)/work") == "new\n")
      } else {
        #expect(try self.state(world) == state)
      }
    }
  }

  /// As a disk that was full would leave it.
  @Test(arguments: [("begin", true), ("begin, and more", false), ("", true)])
  func aFileThatIsOnlyBegun(_ text: String, _ isGits: Bool) async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(world, "echo 'beginning and end' > work", "true")
      try world.advance().prepare(from: base, to: next)
      Files.write("\(world.top)/work", text)
      #expect(try world.repair().repair(from: base, to: next).count == (isGits ? 1 : 0))
      #expect(Files.text("\(world.top)/work") == (isGits ? "old work\n" : text))
    }
  }

  /// What a sparse checkout leaves out is left out by what is put back, too.
  @Test func aSparseCheckout() async throws {
    try await withFleetWorld { world in
      let (base, next) = try prepare(world, "echo more >> work; echo more >> d/x", "exit 1")
      try shell(world, "git sparse-checkout set --no-cone '/*' '!/d/'")
      let state = try state(world)
      let outcome = try world.advance().advance(from: base, to: next)
      #expect(outcome != .done)
      #expect(try self.state(world) == state && !Files.exists("\(world.top)/d"))
    }
  }
}
