import ConclaveBus
import Glibc

/// A defect that is planted into the library in the processes of a storm or a sweep, which must
/// notice it. In debug builds only.
enum StormDefect {
  private static let variable = "CONCLAVE_STORM_DEFECT"

  /// Has the processes that this one starts be defective.
  ///
  /// - Returns: whether there is such a defect.
  static func choose(_ name: String) -> Bool {
    #if PLANTED_DEFECTS
      guard MirrorDefect(rawValue: name) != nil else { return false }
      return unsafe setenv(variable, name, 1) == 0
    #else
      return false
    #endif
  }

  /// Whether one was chosen, for this process and those that it starts.
  static var isChosen: Bool { unsafe getenv(variable) != nil }

  /// Plants the chosen one here.
  static func plant() {
    #if PLANTED_DEFECTS
      guard let name = unsafe getenv(variable),
        let defect = unsafe MirrorDefect(rawValue: String(cString: name))
      else { return }
      MirrorDefect.plant(defect)
    #endif
  }
}
