import BusTesting
import CShim
import Glibc
import SharedRing
import Testing

/// What is added to the machine's running time, so that all processes of a user tell alike what
/// began first, whatever becomes of the wall clock.
@Suite struct SteadyClockTests {
  private func wall() -> Int64 { Int64(conclave_realtime_ns() / 1000) }

  /// What a process would begin with that knows of no file, give or take a second.
  private var own: ClosedRange<Int64> {
    var boot = timespec()
    unsafe clock_gettime(CLOCK_BOOTTIME, &boot)
    let shift = unsafe conclave_clock_shift_ns("boottime")
    let running = (Int64(boot.tv_sec) * 1_000_000_000 + Int64(boot.tv_nsec) - shift) / 1000
    let base = wall() - running
    return base - 1_000_000...base + 1_000_000
  }

  /// As if the clock had been an hour ahead when the first process asked.
  private func write(_ base: Int64, to directory: String) {
    let file = unsafe open("\(directory)/conclave-clock-\(geteuid())", O_WRONLY)
    defer { close(file) }
    var base = base
    #expect(unsafe pwrite(file, &base, 8, 8) == 8)
  }

  @Test func readsLikeTheWallClock() {
    let before = conclave_steady_us()
    let after = conclave_steady_us()
    #expect(before <= after && after - before < 60_000_000)
    let ahead = conclave_steady_ahead_us()
    #expect(abs(Int64(after) - wall() - ahead) < 60_000_000)
  }

  /// The first writes it down; all others, at the same time as well, go by that.
  @Test func allGoByTheFirst() async throws {
    let directory = try makeDirectory()
    defer { removeTree(directory) }
    let first = unsafe conclave_steady_base_us(directory)
    #expect(own.contains(first))
    let shifted = first + 3_600_000_000
    write(shifted, to: directory)
    for _ in 0..<10 { #expect(unsafe conclave_steady_base_us(directory) == shifted) }
    let another = try makeDirectory()
    defer { removeTree(another) }
    let bases = Lock<Set<Int64>>([])
    try await onThreads(8) { _ in
      let base = unsafe conclave_steady_base_us(another)
      bases.withLock { _ = $0.insert(base) }
    }
    #expect(bases.withLock { $0.count } == 1)
  }

  /// Whatever lies there, there is an answer, and nothing that another can have written is it.
  @Test(
    arguments: ["short", "magic", "open", "fifo", "link", "directory"]
      + (geteuid() == 0 ? ["owner"] : []))
  func nothingElseIsBelieved(_ kind: String) throws {
    let directory = try makeDirectory()
    defer { removeTree(directory) }
    let path = "\(directory)/conclave-clock-\(geteuid())"
    write(unsafe conclave_steady_base_us(directory) + 3_600_000_000, to: directory)
    switch kind {
    case "short": #expect(unsafe truncate(path, 8) == 0)
    case "magic":
      let file = unsafe open(path, O_WRONLY)
      #expect(unsafe pwrite(file, "x", 1, 0) == 1)
      close(file)
    case "open": #expect(unsafe chmod(path, 0o666) == 0)
    case "owner": #expect(unsafe chown(path, 4711, 4711) == 0)
    case "link":
      #expect(unsafe rename(path, path + "s") == 0 && symlink(path + "s", path) == 0)
    default:
      #expect(unsafe unlink(path) == 0)
      #expect(unsafe kind == "fifo" ? mkfifo(path, 0o600) == 0 : mkdir(path, 0o700) == 0)
    }
    #expect(unsafe own.contains(conclave_steady_base_us(directory)), "\(kind)")
    for absent in ["/nowhere", String(repeating: "x", count: 300)] {
      #expect(unsafe own.contains(conclave_steady_base_us(absent)))
    }
  }
}
