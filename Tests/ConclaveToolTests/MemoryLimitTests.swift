import BusTesting
import Foundation
import Testing

/// A process may have only so much memory (RLIMIT_AS).
@Suite(.blocking) struct MemoryLimitTests {
  /// From less than the program itself needs to enough for the segment as well, in steps that are
  /// smaller than that.
  @Test func itIsNotSaidThatSharedMemoryIsFull() throws {
    try withDirectory { directory in
      var isRefused = false
      for kilobytes in stride(from: 16_000, to: 4_000_000, by: 8_000) {
        let outcome = try Tool.shell(
          "ulimit -v \(kilobytes); conclave bus publish t -s x -t n -p 1", in: directory)
        #expect(!outcome.errors.contains("remount"), "\(outcome.errors)")
        if outcome.exit == 0 { break }
        if outcome.errors.contains("no memory for") {
          isRefused = true
          #expect(outcome.exit == 8 && outcome.errors.contains("ulimit -v"), "\(outcome.errors)")
        }
      }
      #expect(isRefused)
    }
  }
}
