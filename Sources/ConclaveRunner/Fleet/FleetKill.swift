import Glibc
import Synchronization

/// For tests: kills this process just before or just after it writes a record of its journal. In a
/// release it does nothing.
///
/// `CONCLAVE_FLEET_KILL` is `before N` or `after N`, N counted from 1.
enum FleetKill {
  #if PLANTED_DEFECTS
    private static let count = Atomic(0)

    static func before() {
      let number = count.wrappingAdd(1, ordering: .relaxed).newValue
      if isChosen("before \(number)") { kill(getpid(), SIGKILL) }
    }

    static func after() {
      if isChosen("after \(count.load(ordering: .relaxed))") { kill(getpid(), SIGKILL) }
    }

    private static func isChosen(_ point: String) -> Bool {
      guard let text = unsafe getenv("CONCLAVE_FLEET_KILL") else { return false }
      return unsafe String(cString: text) == point
    }
  #else
    static func before() {}
    static func after() {}
  #endif
}
