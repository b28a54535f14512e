import ConclaveBus

/// One path of a repository, as git has it: any bytes but zero.
typealias GitPath = [UInt8]

/// A path that is not the same in two commits.
struct TreeChange: Hashable, Sendable {
  /// What a commit has at a path.
  struct Side: Hashable, Sendable {
    /// As git writes it: `100644`.
    let mode: String
    let id: String

    /// A repository in the repository: its files are not ours to look at.
    var isRepository: Bool { mode == "160000" }
    var isLink: Bool { mode == "120000" }
  }

  let path: GitPath
  /// nil where the commit has nothing.
  let old: Side?
  let new: Side?

  /// O(changed files).
  static func list(
    _ git: GitCommand, from old: String, to new: String
  ) throws(BusError) -> [TreeChange] {
    try raw(git, ["diff-tree", "-r", old, new]).map(\.change)
  }

  /// What a command of the family of `git diff` says, with the letter of its kind: `D` is gone.
  static func raw(
    _ git: GitCommand, _ command: [String], index: String? = nil
  ) throws(BusError) -> [(change: TreeChange, kind: Character)] {
    let options = ["--raw", "-z", "--no-renames", "--no-abbrev"]
    let fields = try git.list([command[0]] + options + command.dropFirst(), index: index)
    var found: [(change: TreeChange, kind: Character)] = []
    // Facts and path by turns; whose name looks like facts is no other file's.
    for place in stride(from: 0, to: fields.count - 1, by: 2) {
      let words = String(decoding: fields[place].dropFirst(), as: UTF8.self).split(separator: " ")
      guard words.count == 5, let kind = words[4].first else { continue }
      let change = TreeChange(
        path: fields[place + 1], old: side(words[0], words[2]), new: side(words[1], words[3]))
      found.append((change, kind))
    }
    return found
  }

  private static func side(_ mode: Substring, _ id: Substring) -> Side? {
    mode == "000000" ? nil : Side(mode: String(mode), id: String(id))
  }
}

extension GitCommand {
  /// The output of a command with `-z`, which may have names that are not UTF-8.
  func list(
    _ arguments: [String], index: String? = nil
  ) throws(BusError) -> [GitPath] {
    let result = try run(arguments, index: index, bytes: [], limit: 1 << 28)
    guard result.succeeded else { throw failure(arguments, result) }
    guard let bytes = result.output.bytes else {
      throw BusError(
        .messageTooLarge, "git \(arguments[0]) names more files than can be looked at",
        hint: "merge by hand, in smaller steps")
    }
    return bytes.split(separator: 0).map(Array.init)
  }

  /// Changes entries of an index.
  ///
  /// - Parameter side: what the path of a change has from now on; nil takes it out.
  func updateIndex(
    _ changes: [TreeChange], to side: (TreeChange) -> TreeChange.Side?, index: String? = nil
  ) throws(BusError) {
    if changes.isEmpty { return }
    var input: [UInt8] = []
    for change in changes {
      let length = (change.old ?? change.new)?.id.count ?? 40
      let nothing = "0 " + String(repeating: "0", count: length)
      let facts = side(change).map { "\($0.mode) \($0.id)" } ?? nothing
      input += Array("\(facts)\t".utf8) + change.path + [0]
    }
    let arguments = ["update-index", "-z", "--index-info"]
    let result = try run(arguments, index: index, bytes: input)
    guard result.succeeded else { throw failure(arguments, result) }
  }
}
