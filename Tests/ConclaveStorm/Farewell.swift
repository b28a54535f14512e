import Glibc
import Synchronization

/// Whether this process was asked to end in order, with SIGTERM, or has lost its parent.
enum Farewell {
  private static let flag = Atomic<Bool>(false)

  static func listen() {
    // Made now: the handler must not be the first to touch it.
    flag.store(false, ordering: .relaxed)
    signal(SIGTERM) { _ in Farewell.flag.store(true, ordering: .relaxed) }
  }

  static var isDue: Bool { flag.load(ordering: .relaxed) || getppid() == 1 }
}
