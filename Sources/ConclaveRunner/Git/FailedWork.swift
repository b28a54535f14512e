import ConclaveBus

/// Keeps work that did not pass on a branch, without touching HEAD, the index or the checkout.
enum FailedWork {
  /// Makes `wip/ralph-fail-{task}-{time}` from the worktree as it is, on top of HEAD.
  ///
  /// - Returns: the branch, or nil when nothing differs from `base`.
  /// - Throws: whatever git said.
  static func keep(
    _ git: GitCommand, folder: String, base: String, task: String, reason: String
  ) throws(BusError) -> String? {
    let head = try git.must(["rev-parse", "--verify", "HEAD^{commit}"])
    let tree = try WorkSnapshot.tree(git, folder: folder)
    let headTree = try git.must(["rev-parse", "HEAD^{tree}"])
    var commit = head
    if tree != headTree {
      commit = try git.must(
        ["commit-tree", tree, "-p", head, "-F", "-"],
        input: "wip: \(task)\n\nLeft by ralph-run: \(reason)\n")
    } else if head == base {
      return nil
    }
    let stem = "wip/ralph-fail-\(slug(task))-\(compactTime())"
    for number in 1...100 {
      let branch = number == 1 ? stem : "\(stem)-\(number)"
      // All zeros: the branch must not exist yet.
      let zero = String(repeating: "0", count: commit.count)
      let made = try git.run(["update-ref", "refs/heads/\(branch)", commit, zero])
      if made.succeeded { return branch }
      guard try git.ask(["rev-parse", "--quiet", "--verify", "refs/heads/\(branch)"]) != nil else {
        throw GitCommand.failure(["update-ref"], made)
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
