import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// The list of ignored files is the user's, and maybe many people's: we only add to it.
@Suite struct ExcludeFileTests {
  private static func mode(_ path: String) -> mode_t {
    var information = stat()
    return unsafe lstat(path, &information) == 0 ? information.st_mode : 0
  }

  @Test(arguments: [0o644, 0o664, 0o600] as [mode_t])
  func whoMayReadItStays(_ mode: mode_t) async throws {
    try await withFleetWorld { world in
      let path = "\(world.top)/.git/info/exclude"
      Files.write(path, "mine\n")
      unsafe chmod(path, mode)
      try WorkSnapshot.ignoreOwnFiles(world.git, besides: ["trees"])
      #expect(Files.text(path).hasPrefix("mine\n") && Files.text(path).contains("/trees\n"))
      #expect(ExcludeFileTests.mode(path) == S_IFREG | mode)
    }
  }

  /// As git would make it.
  @Test func aNewOneIsForEverybody() async throws {
    try await withFleetWorld { world in
      let path = "\(world.top)/.git/info/exclude"
      unsafe unlink(path)
      try WorkSnapshot.ignoreOwnFiles(world.git)
      #expect(Files.text(path).contains("/.conclave"))
      #expect(ExcludeFileTests.mode(path) == ExcludeFileTests.mode("\(world.top)/.git/HEAD"))
    }
  }

  @Test func aSymbolicLinkStays() async throws {
    try await withFleetWorld { world in
      let path = "\(world.top)/.git/info/exclude"
      unsafe unlink(path)
      let target = world.world.home.appending("shared-exclude")
      Files.write(target, "mine\n")
      unsafe chmod(target, 0o640)
      unsafe symlink("../../../shared-exclude", path)
      try WorkSnapshot.ignoreOwnFiles(world.git, besides: ["trees"])
      #expect(ExcludeFileTests.mode(path) & S_IFMT == S_IFLNK)
      #expect(Files.text(target).hasPrefix("mine\n") && Files.text(target).contains("/trees\n"))
      #expect(ExcludeFileTests.mode(target) == S_IFREG | 0o640)
    }
  }
}
