import ConclaveBus

/// What git does not see in a worktree since a `.gitignore` hides it that is part of the work.
///
/// A `.gitignore` at the top that was not there before and that hides itself as well, such as one
/// with `*`, is no list that a project would have, since no commit would have it: what it hides is
/// kept. What any other one hides is products, caches and secrets, as a rule: it is only named.
/// Those that hide themselves further down are what tools write into the folders of their caches.
struct HiddenWork {
  let git: GitCommand
  /// A snapshot's, with everything in it that git sees.
  let index: String
  /// Where the work began.
  let base: String

  /// Adds the files to the index that are to be kept.
  ///
  /// - Returns: the paths of repositories that are to be kept as well; nil when nothing is hidden.
  /// - Throws: `unsupported` when git does not take what is there.
  func add() throws(BusError) -> [String]? {
    guard isThere("\(git.directory)/.gitignore"),
      try git.must(["ls-tree", "--name-only", base, "--", ".gitignore"]).isEmpty,
      try git.run(["check-ignore", "--quiet", "--", ".gitignore"], index: index).succeeded
    else { return nil }
    var list = ["ls-files", "--others", "-z"] + WorkSnapshot.ownFiles.map { "--exclude=/\($0)" }
    let local = try git.must(["rev-parse", "--path-format=absolute", "--git-path", "info/exclude"])
    if isThere(local) { list.append("--exclude-from=\(local)") }
    let hidden = try hidden(list).filter { $0.source.elementsEqual(".gitignore".utf8) }
    let slash = UInt8(ascii: "/")
    let files = hidden.map(\.path).filter { $0.last != slash }
    let update = ["update-index", "--add", "--remove", "-z", "--stdin"]
    let result = try git.run(
      update, index: index, bytes: Array(files.map { $0 + [0] }.joined()))
    guard result.succeeded else {
      let failure = git.failure(update, result)
      throw failure.code == .noSpace ? failure : HiddenWork.refused(result.errors.text)
    }
    return hidden.map(\.path).filter { $0.last == slash }
      .map { String(decoding: $0.dropLast(), as: UTF8.self) }
  }

  /// What is not kept, as far as a `.gitignore` hides it that is new or changed in `tree`.
  func names(in tree: String) throws(BusError) -> [String] {
    let changed = try git.must([
      "diff-tree", "-r", "-z", "--name-only", "--no-renames", base, tree, "--",
      ":(top,glob)**/.gitignore",
    ]).split(separator: "\0").map(String.init)
    if changed.isEmpty { return [] }
    return try hidden([
      "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z",
    ])
    .filter { changed.contains(String(decoding: $0.source, as: UTF8.self)) }
    .map { String(decoding: $0.path, as: UTF8.self) }
  }

  /// Of what a command lists the ignored paths, and the file that says so: bytes, since names need
  /// not be UTF-8.
  private func hidden(
    _ list: [String]
  ) throws(BusError) -> [(source: ArraySlice<UInt8>, path: ArraySlice<UInt8>)] {
    let listed = try git.run(list, index: index)
    guard listed.succeeded else { throw git.failure(list, listed) }
    let check = ["check-ignore", "--verbose", "-z", "--stdin"]
    guard let paths = listed.output.bytes else { throw HiddenWork.tooMany }
    if paths.isEmpty { return [] }
    let found = try git.run(check, index: index, bytes: paths)
    // None is ignored.
    if found.exit == .code(1) { return [] }
    guard found.succeeded else { throw git.failure(check, found) }
    guard let bytes = found.output.bytes else { throw HiddenWork.tooMany }
    // The source, the line, the pattern, the path.
    let fields = bytes.split(separator: 0, omittingEmptySubsequences: false)
    return stride(from: 0, to: fields.count - 3, by: 4).map { (fields[$0], fields[$0 + 3]) }
  }

  private static var tooMany: BusError { refused("a new .gitignore hides too many files") }

  private static func refused(_ words: String) -> BusError {
    BusError(
      .unsupported, "git does not take what is in the worktree: \(words.trimmed)",
      hint: "rename or remove it")
  }
}
