import ConclaveBus

/// Keeps work that did not pass on a branch, without touching HEAD, the index or the checkout.
enum FailedWork {
  /// Makes `wip/ralph-fail-{task}-{time}` from the worktree as it is, on top of HEAD.
  ///
  /// - Parameters:
  ///   - tip: another commit that the branch shall have, or nil.
  ///   - safe: branches and commits that stay.
  /// - Returns: the branch, or nil when `base` and what is safe have everything.
  /// - Throws: whatever git said.
  static func keep(
    _ git: GitCommand, folder: String, base: String, task: String, reason: String,
    tip: String? = nil, safe: [String] = []
  ) throws(BusError) -> String? {
    let work = try WholeWork(git, folder: folder, base: base)
    return try keep(work, task: task, reason: reason, tip: tip, safe: safe)
  }

  static func keep(
    _ work: WholeWork, task: String, reason: String, tip: String?, safe: [String]
  ) throws(BusError) -> String? {
    let known = safe + [work.base]
    let heads = try tops([work.head, tip].compactMap { $0 } + work.nested, known, work.git)
    var hasFiles = true
    for commit in try commits(known, work.git) where hasFiles {
      hasFiles = try work.git.must(["rev-parse", "\(commit)^{tree}"]) != work.tree
    }
    if heads.isEmpty, !hasFiles { return nil }
    let own = work.head ?? work.base
    let parents = [own] + heads.filter { $0 != own }
    let headTree = try work.git.must(["rev-parse", "\(own)^{tree}"])
    if parents.count == 1, headTree == work.tree {
      return heads.isEmpty ? nil : try keep(work.git, commit: own, task: task)
    }
    let more =
      work.nested.isEmpty
      ? "" : "\nIt has the files of git repositories in it; their commits are parents.\n"
    let commit = try work.git.must(
      ["commit-tree", work.tree] + parents.flatMap { ["-p", $0] } + ["-F", "-"],
      input: "wip: \(task)\n\nLeft by ralph-run: \(reason)\n\(more)\(hidden(work))")
    return try keep(work.git, commit: commit, task: task)
  }

  /// What the commit does not have, and why, or nothing.
  private static func hidden(_ work: WholeWork) -> String {
    if work.hidden.isEmpty { return "" }
    let names = work.hidden.sorted().prefix(20).map { shown($0) }.joined(separator: ", ")
    let more = work.hidden.count > 20 ? " and \(work.hidden.count - 20) more" : ""
    return "\nIt does not have what a .gitignore of this work hides: \(names)\(more)\n"
  }

  /// Whether a commit is, or has behind it, one that none of the others has.
  static func isNew(
    _ commit: String, besides others: [String], _ git: GitCommand
  ) throws(BusError) -> Bool {
    let others = try commits(others, git)
    return try !git.must(["rev-list", "--max-count=1", commit, "--not"] + others).isEmpty
  }

  /// The commits of those that are there.
  private static func commits(_ names: [String], _ git: GitCommand) throws(BusError) -> [String] {
    var found: [String] = []
    for name in names where !name.isEmpty {
      let result = try git.run(["rev-parse", "--quiet", "--verify", "\(name)^{commit}"])
      if result.succeeded { found.append(String(result.output.text.trimmed)) }
    }
    return found
  }

  /// Of `heads` those that no other one has and that nothing in `known` has, in their order.
  private static func tops(
    _ heads: [String], _ known: [String], _ git: GitCommand
  ) throws(BusError) -> [String] {
    var result: [String] = []
    for head in heads where !result.contains(head) {
      if try isNew(head, besides: known + heads.filter({ $0 != head }), git) {
        result.append(head)
      }
    }
    return result
  }

  /// What the names of its branches begin with. With a branch of this name there can be none.
  static let prefix = "wip"

  /// What to say when there is one.
  static var taken: BusError {
    BusError(
      .busy, "there is a branch \(prefix) already, so that no work can be kept as \(prefix)/...",
      hint: "rename it (git branch -m \(prefix) ANOTHER-NAME)")
  }

  /// Makes `wip/ralph-fail-{task}-{time}` of a commit.
  static func keep(
    _ git: GitCommand, commit: String, task: String
  ) throws(BusError) -> String {
    let stem = "\(prefix)/ralph-fail-\(slug(task))-\(compactTime())"
    for number in 1...100 {
      let branch = number == 1 ? stem : "\(stem)-\(number)"
      // All zeros: the branch must not exist yet.
      let zero = String(repeating: "0", count: commit.count)
      let made = try git.run(["update-ref", "refs/heads/\(branch)", commit, zero])
      if made.succeeded { return branch }
      guard try git.ask(["rev-parse", "--quiet", "--verify", "refs/heads/\(branch)"]) != nil else {
        let own = try git.ask(["rev-parse", "--quiet", "--verify", "refs/heads/\(prefix)"])
        throw own == nil ? git.failure(["update-ref"], made) : taken
      }
    }
    throw BusError(.busy, "there are 100 branches \(stem)", hint: "remove some of them")
  }

  /// Letters, digits and single dashes, at most 40: what git and file systems take.
  static func slug(_ text: String) -> String {
    var result = ""
    for scalar in text.lowercased().unicodeScalars where result.count < 40 {
      if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
        result.unicodeScalars.append(scalar)
      } else if !result.isEmpty, !result.hasSuffix("-") {
        result += "-"
      }
    }
    while result.hasSuffix("-") { result.removeLast() }
    return result.isEmpty ? "task" : result
  }

  /// `20261121-200501`, UTC.
  private static func compactTime() -> String {
    let digits = Timestamp.now().description.prefix(19).filter(\.isNumber)
    return "\(digits.prefix(8))-\(digits.dropFirst(8))"
  }
}
