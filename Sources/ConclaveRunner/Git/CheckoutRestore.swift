import ConclaveBus
import Glibc

/// Makes the torn paths of a checkout what they were. Never writes over anything, and removes no
/// directory that has something in it.
struct CheckoutRestore {
  let look: CheckoutLook
  let torn: [CheckoutLook.Torn]

  private var top: String { look.memo.top }

  /// - Returns: why something could not be written.
  func files() throws(BusError) -> BusError? {
    for item in torn where item.isThere { at(item).remove() }
    // Also where git has made the directories and no file yet.
    if !torn.isEmpty {
      for change in try TreeChange.list(look.there, from: look.memo.old, to: look.memo.new)
      where change.old == nil && !look.memo.others.contains(change.path) {
        CheckoutPath(change.path, in: top).removeEmptyParents()
      }
    }
    let missing = torn.filter { $0.target != nil && isFree(at($0)) }.map(\.change)
    guard try write(missing) != nil else { return nil }
    // What one file cannot have, as a filter that fails, the others can.
    var failure: BusError?
    for change in missing where CheckoutPath(change.path, in: top).kind == .nothing {
      if let error = try write([change]) { failure = failure ?? error }
    }
    return failure
  }

  /// Git moves the index before it moves the branch.
  func index() throws(BusError) {
    let old = look.memo.old
    let changes = try TreeChange.list(look.there, from: old, to: look.memo.new)
      .filter { !look.memo.others.contains($0.path) }
    let staged = try TreeChange.raw(look.there, ["diff-index", "--cached", old]).map(\.change)
    let moved = Set(staged).intersection(changes)
    try look.there.updateIndex(Array(moved), to: \.old)
  }

  private func at(_ item: CheckoutLook.Torn) -> CheckoutPath {
    CheckoutPath(item.change.path, in: top)
  }

  private func isFree(_ place: CheckoutPath) -> Bool {
    if place.kind == .folder { place.removeFolder() }
    return place.kind == .nothing && !place.isBlocked
  }

  private func write(_ changes: [TreeChange]) throws(BusError) -> BusError? {
    if changes.isEmpty { return nil }
    GitCommand.removeIndex(look.scratch)
    defer { GitCommand.removeIndex(look.scratch) }
    try look.there.updateIndex(changes, to: \.old, index: look.scratch)
    let arguments = ["checkout-index", "--stdin", "-z", "--quiet"]
    let paths = Array(changes.map(\.path).joined(separator: [0])) + [0]
    let result = try look.there.run(arguments, index: look.scratch, bytes: paths)
    return result.succeeded ? nil : look.there.hindrance(arguments, result)
  }
}
