extension BusLocation {
  /// Opens the directory, and makes it if `create` says so.
  ///
  /// Where this makes a `.conclave` in a git worktree, or a folder directly in one that ignores
  /// nothing, it puts a `.gitignore` into it that ignores everything, so that messages are not
  /// committed by mistake. One that is there is left alone.
  /// - Throws: as ``BusDirectory/init(opening:create:access:)``.
  public func openDirectory(create: Bool = true) throws(BusError) -> BusDirectory {
    if create { HiddenFolder.make(above: path, access) }
    return try BusDirectory(opening: path, create: create, access: access)
  }
}
