import CShim
import Glibc

/// A worker's line to the benchmark that started it: orders on standard input, whose end means that
/// the worker must end as well, and numbers on standard output.
struct ParentLine {
  /// Says that everything is prepared, and waits for the start; never returns if there will be
  /// none.
  func awaitStart() {
    say("ready")
    if !awaitOrder() { exitAtOnce(EXIT_FAILURE) }
  }

  /// Sees to it that this process ends with the line, whatever its threads do then. From here on
  /// there are no more orders.
  func endWithParent() {
    let failure = conclave_thread_start {
      while ParentLine().awaitOrder() {}
      exitAtOnce(EXIT_SUCCESS)
    }
    if failure != 0 { exitAtOnce(EXIT_FAILURE) }
  }

  /// Waits for an order; false at the end of the line.
  func awaitOrder() -> Bool {
    var byte: UInt8 = 0
    repeat {
      let count = unsafe read(STDIN_FILENO, &byte, 1)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
    } while byte != UInt8(ascii: "\n")
    return true
  }

  /// Hands on what was measured.
  func report(_ numbers: UInt64...) {
    say("done " + numbers.map { "\($0)" }.joined(separator: " "))
  }

  private func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    if unsafe write(STDOUT_FILENO, bytes, bytes.count) != bytes.count { exitAtOnce(EXIT_FAILURE) }
  }
}

/// Ends the process without waiting for anything in it.
func exitAtOnce(_ code: Int32) -> Never { _exit(code) }
