import Glibc

/// Processes as they were found one after the other.
struct ProcessLook {
  var entries: [ProcessEntry] = []
  /// Whether none was gone before it was looked at. One that is gone may have started another that
  /// was not listed yet, and that nothing else leads to.
  var isWhole = true

  /// Whether the process was given one of the environment entries, each NAME=VALUE.
  mutating func has(anyOf wanted: [[UInt8]], _ process: ProcessEntry) -> Bool {
    let all = ProcessTable.environment(process.pid)
    // Threads of the kernel, whose parent is its thread 2, never have any.
    if all.isEmpty, process.parent != 2, ProcessTable.entry(process.pid)?.isZombie ?? true {
      isWhole = false
    }
    return all.contains { entry in wanted.contains { entry.elementsEqual($0) } }
  }
}

/// Whether nobody is left, by one look after the other.
///
/// That nobody is found once proves nothing while processes come and go: a parent may be gone
/// before it is looked at, and its child come after the list was made (``ProcessLook/isWhole``). To
/// slip through five times in a row, they would have to do that at the right instant each time.
struct ProcessAbsence {
  private var emptyLooks = 0

  /// - Parameter look: the next one, with those who are left.
  mutating func isProved(by look: ProcessLook) -> Bool {
    emptyLooks = look.entries.isEmpty ? emptyLooks + 1 : 0
    return emptyLooks == 5 || (emptyLooks > 0 && look.isWhole)
  }
}
