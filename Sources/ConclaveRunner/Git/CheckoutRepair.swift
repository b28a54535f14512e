import ConclaveBus
import Glibc

/// Puts a checkout back whose git did not end moving it from one commit to another: what git has
/// changed becomes as it was. What is neither as the one commit has it nor as the other is
/// somebody's work and stays; so does what was not as the first one had it before git began.
struct CheckoutRepair {
  let git: GitCommand
  let branch: String
  /// Where the ``CheckoutMemo`` is.
  let memo: String
  private let patience: Duration

  init(_ git: GitCommand, branch: String, memo: String, patience: Duration = .seconds(10)) {
    self.git = git
    self.branch = branch
    self.memo = memo
    self.patience = patience
  }

  /// What is to be put back, as far as it can be seen without waiting.
  struct Damage: Hashable, Sendable {
    /// The lock of a git that is not there any more.
    var lock: String?
    var files = 0
  }

  /// - Returns: nil when the branch has moved, when git was never begun, and when the checkout is
  ///   whole.
  func find(from old: String, to new: String) throws(BusError) -> Damage? {
    guard let look = try look(from: old, to: new) else { return nil }
    let lock = try indexLock(look.there)
    let isLeft = isThere(lock) && ProcessTable.owner(ofFile: lock) == nil
    let damage = Damage(lock: isLeft ? lock : nil, files: try look.torn().count)
    return damage == Damage() ? nil : damage
  }

  /// Can be done again after it was cut off itself.
  ///
  /// - Returns: what was done, a line each.
  /// - Throws: `busy` while another git is at work in the checkout; `noSpace`, `permissionDenied`,
  ///   `system` when something could not be put back: do it again then.
  func repair(from old: String, to new: String) throws(BusError) -> [String] {
    guard let look = try look(from: old, to: new) else { return [] }
    let lock = try abandonedLock(look.there)
    CheckoutMemo.release(memo)
    let torn = try look.torn()
    let restore = CheckoutRestore(look: look, torn: torn)
    let failure = try restore.files()
    if let lock { unsafe unlink(lock) }
    try restore.index()
    let left = torn.isEmpty ? [] : try look.torn()
    if let first = left.first {
      throw failure
        ?? BusError(
          .system,
          "git has moved \(counted(left.count, "file")) of \(shown(look.memo.top)) only in part, "
            + "for instance \(shown(String(decoding: first.change.path, as: UTF8.self)))",
          hint: "look at what is in the way there; the next run tries again")
    }
    CheckoutMemo.remove(memo)
    let count = counted(torn.count, "file")
    switch (lock, torn.isEmpty) {
    case (nil, true): return []
    case (nil, false): return ["put back \(count) that git had changed"]
    case (let lock?, let isWhole):
      let words = isWhole ? "" : ", and put back \(count) that it had changed"
      return ["removed \(lock), which a killed git had left\(words)"]
    }
  }

  private func look(from old: String, to new: String) throws(BusError) -> CheckoutLook? {
    guard let note = try CheckoutMemo(memo, from: old, to: new) else { return nil }
    let advance = BranchAdvance(git: git, branch: branch, memo: memo)
    guard try advance.tip == old, try advance.checkout() == note.top else { return nil }
    return CheckoutLook(
      there: try git.elsewhere(note.top), memo: note, scratch: "\(memo).index")
  }

  private func indexLock(_ there: GitCommand) throws(BusError) -> String {
    try there.must(["rev-parse", "--absolute-git-dir"]) + "/index.lock"
  }

  /// The lock of the index, when no process has it open any more.
  private func abandonedLock(_ there: GitCommand) throws(BusError) -> String? {
    let lock = try indexLock(there)
    let clock = SuspendingClock()
    let end = clock.now.advanced(by: patience)
    while isThere(lock), clock.now < end { usleep(50_000) }
    guard isThere(lock) else { return nil }
    if let process = ProcessTable.owner(ofFile: lock) {
      throw BusError(
        .busy, "process \(process) is at work in the index of \(shown(there.directory))",
        hint: "wait for it, and try again")
    }
    return lock
  }
}
