import CShim
import ConclaveBus
import Glibc

/// A worker as its coordinator sees it: a process or a thread behind two pipes.
final class WorkerHandle {
  /// What runs behind the pipes.
  enum Body {
    case process(pid_t)
    case thread(StressThread)
    case ended
  }

  let role: WorkerRole
  let reports: Int32
  private var orders: Int32
  private var body: Body
  private var buffer = LineBuffer()
  /// Processor time in seconds; known once ended, for a process.
  private(set) var cpuSeconds = 0.0

  init(role: WorkerRole, orders: Int32, reports: Int32, body: Body) {
    self.role = role
    self.orders = orders
    self.reports = reports
    self.body = body
  }

  deinit {
    dismiss()
    close(reports)
  }

  /// Sends a line. A worker that is gone is noticed when its reports end.
  func order(_ line: String) {
    if orders >= 0 { writeLine(line, to: orders) }
  }

  /// The reports that have come, waiting for some if need be; nil at the end.
  ///
  /// - Throws: for a line that is not a report.
  func read() throws(BusError) -> [WorkerReport]? {
    guard let lines = buffer.read(reports) else { return nil }
    var parsed: [WorkerReport] = []
    for line in lines {
      guard let report = WorkerReport(line: line) else {
        throw BusError(.system, "\(role.name) reported \"\(line.prefix(60))\"")
      }
      parsed.append(report)
    }
    return parsed
  }

  /// Ends the line to the worker, at which it stops if it still works.
  func dismiss() {
    if orders >= 0 { close(orders) }
    orders = -1
  }

  /// Kills a process at once, whatever it does; a thread stops once its bus is closed.
  func kill() {
    if case .process(let pid) = body { _ = Glibc.kill(pid, SIGKILL) }
    dismiss()
  }

  /// Waits for the worker's end.
  ///
  /// - Returns: how a process ended that did not end well, in words.
  @discardableResult
  func reap() -> String? {
    dismiss()
    defer { body = .ended }
    switch body {
    case .ended: return nil
    case .thread(let thread):
      thread.join()
      return nil
    case .process(let pid): return reapProcess(pid)
    }
  }

  private func reapProcess(_ pid: pid_t) -> String? {
    var status: Int32 = 0
    var usage = rusage()
    while unsafe wait4(pid, &status, 0, &usage) < 0 {
      guard errno == EINTR else { return "cannot be waited for" }
    }
    cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    // The bits of a wait status as wait(2) describes them: its macros are not known to Swift.
    let signal = status & 0x7F
    if signal != 0 { return "was killed by signal \(signal)" }
    let code = status >> 8 & 0xFF
    return code == 0 ? nil : "ended with exit code \(code)"
  }
}

func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
