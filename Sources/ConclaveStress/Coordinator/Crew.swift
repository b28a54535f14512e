import CShim
import ConclaveBus
import Glibc

/// Starts workers: processes of this same program, or threads.
struct Crew {
  /// The words that make this program a worker, in front of the worker's own arguments.
  let workerCommand: [String]
  let directory: String
  /// The bus that threads share; nil when workers are processes.
  let bus: (any MessageBus)?

  func start(_ worker: StressWorker) throws(BusError) -> WorkerHandle {
    let orders = try Pipe()
    let reports: Pipe
    do throws(BusError) {
      reports = try Pipe()
    } catch {
      orders.closeBoth()
      throw error
    }
    do throws(BusError) {
      let body =
        if let bus {
          try startThread(worker, bus, orders: orders.readEnd, reports: reports.writeEnd)
        } else {
          try startProcess(worker, orders: orders.readEnd, reports: reports.writeEnd)
        }
      return WorkerHandle(
        role: worker.role, orders: orders.writeEnd, reports: reports.readEnd, body: body)
    } catch {
      orders.closeBoth()
      reports.closeBoth()
      throw error
    }
  }

  private func startThread(
    _ worker: StressWorker, _ bus: any MessageBus, orders: Int32, reports: Int32
  ) throws(BusError) -> WorkerHandle.Body {
    .thread(
      try StressThread {
        worker.run(on: bus, WorkerLink(orders: orders, reports: reports)) {}.follower?.join()
        close(orders)
        close(reports)
      })
  }

  private func startProcess(
    _ worker: StressWorker, orders: Int32, reports: Int32
  ) throws(BusError) -> WorkerHandle.Body {
    let words = workerCommand + worker.arguments(directory: directory)
    var arguments = unsafe words.map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let failure = unsafe conclave_spawn_self(&arguments, orders, reports, &pid)
    guard failure == 0 else {
      throw systemError(
        "cannot start \(worker.role.name)", failure, hint: "raise the limit of processes")
    }
    // The child has them now; only its end may hold them open.
    close(orders)
    close(reports)
    return .process(pid)
  }
}

extension Pipe {
  func closeBoth() {
    close(readEnd)
    close(writeEnd)
  }
}
