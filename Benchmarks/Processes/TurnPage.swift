import CShim
import Glibc

/// A page of plain shared memory that processes take turns on.
@safe
struct TurnPage: ~Copyable {
  /// One line apart: to the others, and back.
  private let base: UnsafeMutableRawPointer
  private static let bytes = 4096

  /// Maps the file at `path`, made if need be.
  init(_ path: String) throws {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchmarkFailure("cannot open \(path): \(systemText())") }
    defer { close(descriptor) }
    guard ftruncate(descriptor, TurnPage.bytes) == 0,
      let base = unsafe mmap(
        nil, TurnPage.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      unsafe base != MAP_FAILED
    else { throw BenchmarkFailure("cannot map \(path): \(systemText())") }
    unsafe self.base = unsafe base
  }

  deinit { unsafe munmap(base, TurnPage.bytes) }

  enum Way: Int {
    case there = 0
    case back = 64
  }

  func give(_ turn: UInt32, _ way: Way) { unsafe conclave_turn_give(turns(way), turn) }

  /// The last of `parties` who come gives the next turn.
  func join(_ parties: UInt32, _ way: Way) { unsafe conclave_turn_join(turns(way), parties) }

  /// Sleeps until the turn is there.
  func await(_ turn: UInt32, _ way: Way) throws {
    guard unsafe conclave_turn_await(turns(way), turn, 10_000_000_000) == 0 else {
      throw BenchmarkFailure("the other side did nothing for 10 s")
    }
  }

  /// When the last turn was given (CLOCK_MONOTONIC in nanoseconds).
  func sent(_ way: Way) -> UInt64 { unsafe conclave_turn_sent(turns(way)) }

  private func turns(_ way: Way) -> UnsafeMutablePointer<conclave_turn> {
    unsafe (base + way.rawValue).assumingMemoryBound(to: conclave_turn.self)
  }
}
