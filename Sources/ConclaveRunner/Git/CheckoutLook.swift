import ConclaveBus
import Glibc

/// Finds what git has changed in a checkout that it did not move to the end. Changes nothing but
/// an index of its own.
struct CheckoutLook {
  /// At the top of the checkout.
  let there: GitCommand
  let memo: CheckoutMemo
  /// A path for an index that is nobody else's.
  let scratch: String

  /// A path that git has changed, or has begun to.
  struct Torn {
    let change: TreeChange
    /// What has to be there.
    let target: TreeChange.Side?
    /// Whether there is something now, which has to go.
    let isThere: Bool
  }

  /// What is as the new commit has it, or a beginning of that, or not there any more, where it was
  /// as the old one had it. What is neither is somebody's work, and not named.
  func torn() throws(BusError) -> [Torn] {
    let changes = try TreeChange.list(there, from: memo.old, to: memo.new)
      .filter { !memo.others.contains($0.path) }
    let old = try there.differing(changes, \.old, scratch: scratch)
    let new = try there.differing(changes, \.new, scratch: scratch)
    var found: [Torn] = []
    for change in changes {
      let path = change.path
      let target = memo.gone.contains(path) ? nil : change.old
      let isGone = (change.old == nil ? new : old)[path] == "D"
      if isGone {
        if target != nil { found.append(Torn(change: change, target: target, isThere: false)) }
        continue
      }
      if change.old != nil, old[path] == nil { continue }
      guard let side = change.new, !side.isRepository else { continue }
      if new[path] != nil, try !isBeginning(path, of: side) { continue }
      found.append(Torn(change: change, target: target, isThere: true))
    }
    return found
  }

  /// Whether it is a regular file with the beginning of what git would write: git was killed, or
  /// the disk was full. Compared by other programs, without a copy.
  private func isBeginning(_ path: GitPath, of side: TreeChange.Side) throws(BusError) -> Bool {
    guard !side.isLink, let file = CheckoutPath(path, in: there.directory).open() else {
      return false
    }
    var information = stat()
    guard unsafe fstat(file.number, &information) == 0 else { return false }
    if information.st_size == 0 { return true }
    let line = """
      "$1" cat-file -z --batch --filters |
        { IFS= read -r header; head -c "$2" | cmp -s - "$3"; }
      """
    var request = ChildRequest(
      "/bin/sh",
      [
        "-c", line, "sh", there.program, "\(information.st_size)",
        "/proc/\(getpid())/fd/\(file.number)",
      ],
      environment: there.environment, directory: there.directory)
    request.input = Array("\(side.id) ".utf8) + path + [0]
    request.timeLimit = .seconds(300)
    let result = try ChildRun.run(request)
    withExtendedLifetime(file) {}
    return result.succeeded
  }
}
