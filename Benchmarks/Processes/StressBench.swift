import ConclaveBus
import ConclaveStress

/// Runs of the stress engine as benchmarks use them.
struct StressBench {
  let setting: Setting

  func run(_ change: (inout StressPlan) -> Void) throws -> StressResult {
    var plan = StressPlan()
    change(&plan)
    let run = StressRun(
      plan, workerCommand: WorkerRole.stressCommand,
      interruption: setting.interruption.descriptor)
    do throws(StressPlanError) {
      try plan.check()
    } catch { throw BenchmarkFailure("\(error.option) may not be \(error.value)") }
    do throws(StressFailure) {
      return try run.run()
    } catch {
      switch error {
      case .bus(let error): throw error
      case .interrupted: throw setting.interruption.interrupted
      }
    }
  }
}

/// What went wrong over several stress runs.
struct FaultCount {
  private var lost: UInt64 = 0
  private var duplicated: UInt64 = 0
  private var outOfOrder: UInt64 = 0
  private var corrupt: UInt64 = 0

  mutating func add(_ result: StressResult) {
    lost += result.lost.reduce(0, +)
    duplicated += result.duplicates
    outOfOrder += result.outOfOrder
    corrupt += result.corrupt + result.gapMismatches
  }

  mutating func add(lost: UInt64, duplicated: UInt64, outOfOrder: UInt64) {
    self.lost += lost
    self.duplicated += duplicated
    self.outOfOrder += outOfOrder
  }

  func record(in record: inout Record, _ prefix: String = "") {
    record.addFault("\(prefix)lost", lost)
    record.addFault("\(prefix)duplicated", duplicated)
    record.addFault("\(prefix)out of order", outOfOrder)
    record.addFault("\(prefix)corrupt", corrupt)
  }
}
