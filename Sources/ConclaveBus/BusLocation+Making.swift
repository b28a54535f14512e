import Glibc

extension BusLocation {
  /// Opens the directory, and makes it if `create` says so.
  ///
  /// Where this makes a `.conclave` in a git worktree it puts a `.gitignore` into it that ignores
  /// everything, so that messages are not committed by mistake. One that is there is left alone.
  /// - Throws: as ``BusDirectory/init(opening:create:)``.
  public func openDirectory(create: Bool = true) throws(BusError) -> BusDirectory {
    if create { makeParent() }
    return try BusDirectory(opening: path, create: create)
  }

  /// Makes `.conclave` where its own parent is there; what fails here fails again when the bus
  /// directory is made, which says so.
  private func makeParent() {
    guard path.hasSuffix("/" + BusLocation.relativePath), let hidden = parent(of: path),
      let worktree = parent(of: hidden), unsafe mkdir(hidden, 0o700) == 0,
      GitRepository.containing(worktree) != nil
    else { return }
    let file = unsafe open(
      joined(hidden, ".gitignore"), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    let ignore = OwnedDescriptor(offStandard(file))
    let everything = Array("*\n".utf8)
    _ = unsafe write(ignore.number, everything, everything.count)
  }
}
