import ConclaveBus
import Foundation
import Testing

@Suite struct BusLocationTests {
  /// Finds the bus from `directory` without an option or a variable.
  private func find(
    _ directory: URL, option: String? = nil, environment: [String: String] = [:]
  ) throws -> BusLocation {
    try BusLocation.find(
      option: option, environment: environment, workingDirectory: directory.path)
  }

  @Test func optionBeforeEnvironment() throws {
    try withDirectory { root in
      let both = try find(root, option: "a", environment: ["BUS_DIR": "b"])
      #expect(both.path == root.path + "/a" && both.rule == .option && !both.exists)
      let variable = try find(root, environment: ["BUS_DIR": "/b"])
      #expect(variable.path == "/b" && variable.rule == .environment)
      let empty = try find(root, environment: ["BUS_DIR": ""])
      #expect(empty.rule == .workingDirectory)
      #expect(throws: BusError.self) { try find(root, option: "") }
    }
  }

  @Test func nearestAncestor() throws {
    try withDirectory { root in
      let inner = try make(root, "one/two/three")
      #expect(try find(inner).path == inner.path + "/.conclave/bus")
      #expect(try find(inner).rule == .workingDirectory)
      try make(root, ".conclave/bus")
      #expect(try find(inner).path == root.path + "/.conclave/bus")
      #expect(try find(inner).rule == .ancestor)
      try make(root, "one/.conclave/bus")
      #expect(try find(inner).path == root.path + "/one/.conclave/bus")
      #expect(try find(inner).exists)
    }
  }

  @Test func aFileIsNoBus() throws {
    try withDirectory { root in
      try make(root, ".conclave")
      try Data().write(to: root.appendingPathComponent(".conclave/bus"))
      #expect(try find(root).rule == .workingDirectory)
      #expect(try !find(root).exists)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func otherUsersDoNotDecide() throws {
    try withDirectory { root in
      let inner = try make(root, "inner")
      try make(root, ".conclave/bus")
      _ = unsafe chown(root.path + "/.conclave/bus", 1, 1)
      #expect(try find(inner).path == inner.path + "/.conclave/bus")
      #expect(try find(inner).rule == .workingDirectory)
    }
  }

  @Test func allWorktreesShareTheMainOne() throws {
    try withDirectory { root in
      let main = try repository(root, "main")
      let linked = root.appendingPathComponent("elsewhere/linked")
      try git(main, "worktree", "add", "-q", linked.path)
      let inner = try make(linked, "deep/inside")
      for directory in [main, try make(main, "src/lib"), linked, inner] {
        let location = try find(directory)
        #expect(location.path == main.path + "/.conclave/bus")
        #expect(location.rule == .git && !location.exists)
      }
      try make(main, ".conclave/bus")
      #expect(try find(inner).path == main.path + "/.conclave/bus")
      #expect(try find(inner).exists && find(inner).rule == .git)
      #expect(try find(main).rule == .ancestor)
    }
  }

  /// What happens to lie above a linked worktree must not split it from the others.
  @Test func aboveTheWorktreesOnlyTheMainOneCounts() throws {
    try withDirectory { root in
      let main = try repository(root, "a/main")
      let linked = root.appendingPathComponent("b/linked")
      try git(main, "worktree", "add", "-q", linked.path)
      try make(root, "b/.conclave/bus")
      #expect(try find(linked).path == main.path + "/.conclave/bus")
      try make(root, "a/.conclave/bus")
      for directory in [main, linked] {
        #expect(try find(directory).path == root.path + "/a/.conclave/bus")
      }
      #expect(try find(main).rule == .ancestor)
      #expect(try find(linked).rule == .git)
      try make(main, ".conclave/bus")
      for directory in [main, linked] {
        #expect(try find(directory).path == main.path + "/.conclave/bus")
      }
    }
  }

  @Test func bareRepositories() throws {
    try withDirectory { root in
      let source = try repository(root, "source")
      let bare = root.appendingPathComponent("project/.bare")
      try git(source, "clone", "-q", "--bare", source.path, bare.path)
      let first = root.appendingPathComponent("project/first")
      let second = root.appendingPathComponent("project/second")
      try git(bare, "worktree", "add", "-q", "-b", "one", first.path)
      try git(bare, "worktree", "add", "-q", "-b", "two", second.path)
      #expect(try find(first).path == bare.path + "/.conclave/bus")
      #expect(try find(second).path == bare.path + "/.conclave/bus")
    }
  }

  @Test func submodulesHaveTheirOwn() throws {
    try withDirectory { root in
      let library = try repository(root, "library")
      let main = try repository(root, "main")
      try git(
        main, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.path,
        "lib")
      let module = main.appendingPathComponent("lib")
      #expect(try find(module).path == module.path + "/.conclave/bus")
      let linked = root.appendingPathComponent("linked")
      try git(module, "worktree", "add", "-q", "-b", "side", linked.path)
      #expect(try find(linked).path == module.path + "/.conclave/bus")
    }
  }

  @Test func separateRepositories() throws {
    try withDirectory { root in
      let main = try make(root, "main")
      let repository = root.appendingPathComponent("store")
      try git(main, "init", "-q", "--separate-git-dir", repository.path)
      try commit(main)
      let linked = root.appendingPathComponent("linked")
      try git(main, "worktree", "add", "-q", linked.path)
      #expect(try find(main).path == find(linked).path)
    }
  }

  @Test func whatOnlyLooksLikeGit() throws {
    try withDirectory { root in
      try make(root, "empty/.git")
      #expect(try find(root.appendingPathComponent("empty")).rule == .workingDirectory)
      let broken = try make(root, "broken")
      try Data("gitdir: /nowhere/at/all\n".utf8).write(to: broken.appendingPathComponent(".git"))
      #expect(try find(broken).rule == .workingDirectory)
      try Data([0xFF, 0xFE, 0x00]).write(to: broken.appendingPathComponent(".git"))
      #expect(try find(broken).rule == .workingDirectory)
    }
  }

  /// The answer must be git's own.
  @Test func agreesWithGit() throws {
    try withDirectory { root in
      let main = try repository(root, "main with spaces")
      let linked = root.appendingPathComponent("linked")
      try git(main, "worktree", "add", "-q", linked.path)
      let common = try git(
        linked, "rev-parse", "--path-format=absolute", "--git-common-dir")
      #expect(try find(linked).path + "\n" == common.replacing("/.git\n", with: "/.conclave/bus\n"))
    }
  }

  // MARK: Fixtures

  private func withDirectory(_ body: (URL) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("conclave-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory)
  }

  @discardableResult
  private func make(_ root: URL, _ path: String) throws -> URL {
    let url = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  private func repository(_ root: URL, _ path: String) throws -> URL {
    let url = try make(root, path)
    try git(url, "init", "-q")
    try commit(url)
    return url
  }

  private func commit(_ directory: URL) throws {
    try git(
      directory, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q",
      "--allow-empty", "-m", "start")
  }

  @discardableResult
  private func git(_ directory: URL, _ arguments: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    process.currentDirectoryURL = directory
    process.environment = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
    ]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "git \(arguments) failed")
    return text
  }
}
