import ConclaveBus
import Glibc

/// A command that prepares a new worktree, which has only what is committed: submodules, installed
/// packages and the like are missing.
struct SetupStep: Hashable, Sendable {
  /// What it is for, in the log.
  let name: String
  let command: [String]
  /// Whether the task fails with it. What was only guessed from the project's files may fail.
  let isRequired: Bool

  /// - Parameters:
  ///   - worktree: the new one.
  ///   - top: the worktree in which the run was begun; its `.conclave/setup` need not be committed.
  static func steps(
    _ line: FleetOptions.Line, worktree: String, top: String
  ) -> [SetupStep] {
    switch line {
    case .nothing: return []
    case .command(let line):
      return [
        SetupStep(name: "--setup-cmd", command: ["/bin/sh", "-c", line], isRequired: true)
      ]
    case .detected:
      for path in ["\(worktree)/.conclave/setup", "\(top)/.conclave/setup"] where isThere(path) {
        let runs = unsafe access(path, X_OK) == 0
        return [
          SetupStep(
            name: ".conclave/setup", command: runs ? [path] : ["/bin/sh", path], isRequired: true)
        ]
      }
      return detected(worktree)
    }
  }

  private static func detected(_ worktree: String) -> [SetupStep] {
    let all: [(file: String, command: [String])] = [
      (".gitmodules", ["git", "submodule", "--quiet", "update", "--init", "--recursive"]),
      ("pnpm-lock.yaml", ["pnpm", "install", "--frozen-lockfile"]),
      ("yarn.lock", ["yarn", "install", "--frozen-lockfile"]),
      ("package-lock.json", ["npm", "ci", "--no-audit", "--no-fund"]),
      ("uv.lock", ["uv", "sync"]), ("poetry.lock", ["poetry", "install"]),
      ("go.mod", ["go", "mod", "download"]), ("Cargo.toml", ["cargo", "fetch"]),
      ("Gemfile.lock", ["bundle", "install"]),
    ]
    return all.filter { isThere("\(worktree)/\($0.file)") }.map { file, command in
      SetupStep(name: file, command: command, isRequired: false)
    }
  }
}
