import BusTesting
import ConclaveBus
import Glibc
import StepTracer

/// The process whose mirror is stepped.
enum StepWorker {
  static let word = "mirror-worker"

  /// Words: the directory of the world, and perhaps a defect.
  static func main(_ words: [String]) -> Int32 {
    guard let root = words.first, words.count <= 2 else { return 2 }
    if words.count == 2, !StepDefect.plant(words[1]) { return 2 }
    let faults = StepFaults()
    do {
      try warmUp("\(root)/warm", faults)
      let bus = try StepBus(root: root)
      step_mark()
      let open = try bus.open(isCandidate: true, faults) { step_mark() }
      awaitInput()
      open.close()
    } catch { faults.add("\(error)") }
    for fault in faults.all { print("the mirror: \(fault)") }
    return faults.all.isEmpty ? 0 : 70
  }

  /// All of it once, so that the linker and the runtime have found everything: what is stepped is
  /// then the mirror. Its thread is kept, and is the one that the tracer knows by its mark.
  private static func warmUp(_ root: String, _ faults: StepFaults) throws {
    try StepFiles.makeDirectory(root)
    let bus = try StepBus(root: root)
    let mirror = try bus.open(isCandidate: true, faults) { step_mark() }
    for number in 1...12 {
      let step = StepMessage(sender: "warm", number: number)
      try mirror.publish(step, bytes: 200, number % 3 == 0 ? .synced : .ring)
    }
    mirror.close()
  }

  private static func awaitInput() {
    var byte: UInt8 = 0
    while unsafe read(STDIN_FILENO, &byte, 1) < 0, errno == EINTR {}
  }
}

/// A defect that is planted into the library, in whoever is stepped and in who comes after it. In
/// debug builds only.
enum StepDefect {
  /// - Returns: whether there is such a defect.
  static func plant(_ name: String) -> Bool {
    #if PLANTED_DEFECTS
      guard let defect = MirrorDefect(rawValue: name) else { return false }
      MirrorDefect.plant(defect)
      return true
    #else
      return false
    #endif
  }
}
