import ConclaveBus
import ConclaveStress

/// The results of `bus stress` as a table and as JSON.
struct StressReport {
  private let results: [StressResult]

  init(_ results: [StressResult]) { self.results = results }

  /// One object, or an array of them.
  func json(asArray: Bool) -> String {
    let objects = results.map { object($0).text }
    return asArray
      ? "[\(objects.joined(separator: ","))]\n" : objects.joined(separator: "\n") + "\n"
  }

  var table: String { results.map(table).joined(separator: "\n") }

  private func object(_ result: StressResult) -> JSONObject {
    var object = JSONObject()
    object.add("transport", result.plan.transport.rawValue)
    object.add("publishers", result.plan.publishers)
    object.add("subscribers", result.plan.subscribers)
    object.add("messages", result.plan.messages)
    object.add("payloadBytes", result.plan.payloadBytes)
    object.add("policy", result.plan.policy.rawValue)
    object.add("batch", result.plan.batch)
    object.add("seconds", result.seconds, digits: 6)
    object.add("messagesPerSecond", result.messagesPerSecond, digits: 0)
    object.add("delivered", result.delivered)
    object.add("lost", result.lost)
    object.add("gapsReported", result.gapsReported)
    object.add("gapMismatches", result.gapMismatches)
    object.add("duplicates", result.duplicates)
    object.add("outOfOrder", result.outOfOrder)
    object.add("corrupt", result.corrupt)
    object.add("cpuSeconds", result.cpuSeconds)
    object.add("longestPublisherStallMilliseconds", result.longestPublisherStallMilliseconds)
    if let waits = result.backPressureWaits {
      object.add("backPressureWaits", waits)
    } else {
      object.addNull("backPressureWaits")
    }
    if let rate = result.plan.rate { object.add("rate", rate) }
    if let latency = result.latencyMicroseconds {
      object.add("latencyMicroseconds", Self.object(latency))
    }
    if let files = result.files { object.add("mirror", Self.object(files, result)) }
    return object
  }

  private static func object(_ files: FilesResult, _ result: StressResult) -> JSONObject {
    var object = JSONObject()
    object.add("durability", result.plan.mirror.rawValue)
    object.add("seconds", result.mirrorSeconds, digits: 6)
    object.add("messagesPerSecond", result.mirroredPerSecond, digits: 0)
    if let lag = result.mirrorLag { object.add("lag", lag) } else { object.addNull("lag") }
    object.add("delivered", files.delivered)
    object.add("missing", files.missing)
    object.add("duplicates", files.duplicates)
    object.add("outOfOrder", files.outOfOrder)
    object.add("corrupt", files.corrupt)
    return object
  }

  private static func object(_ latency: StressResult.Latency) -> JSONObject {
    var object = JSONObject()
    object.add("p50", latency.p50)
    object.add("p99", latency.p99)
    object.add("p999", latency.p999)
    object.add("max", latency.max)
    return object
  }

  private func table(_ result: StressResult) -> String {
    let plan = result.plan
    var lines: [(String, String)] = [
      ("transport", "\(plan.transport.rawValue), \(plan.policy.rawValue)"),
      ("publishers", "\(plan.publishers)" + (plan.batch > 1 ? ", batches of \(plan.batch)" : "")),
      ("subscribers", "\(plan.subscribers)"),
      ("messages", "\(grouped(UInt64(plan.messages))) of \(plan.payloadBytes) bytes"),
      ("time", "\(decimal(result.seconds, digits: 3)) s"),
      (
        "throughput",
        "\(grouped(UInt64(result.messagesPerSecond))) messages/s"
          + (plan.subscribers > 1 ? " to each subscriber" : "")
      ),
      ("processor time", "\(decimal(result.cpuSeconds, digits: 2)) s"),
      ("longest stall", "\(decimal(result.longestPublisherStallMilliseconds, digits: 1)) ms"),
    ]
    if let waits = result.backPressureWaits { lines.append(("waits for room", grouped(waits))) }
    if let latency = result.latencyMicroseconds { lines.append(("latency", words(latency))) }
    if result.files != nil { lines.append(("mirrored", mirrorWords(result))) }
    lines.append(
      ("verdict", result.faults.isEmpty ? verdict(result) : result.faults.joined(separator: "; ")))
    let width = lines.map(\.0.count).max() ?? 0
    let left = lines.map { name, value in
      "\(name)\(String(repeating: " ", count: width - name.count))  \(value)\n"
    }
    return left.joined() + deliveries(result)
  }

  private func deliveries(_ result: StressResult) -> String {
    var table = TextTable([
      ("subscriber", .right), ("delivered", .right), ("lost", .right), ("reported", .right),
    ])
    for index in result.delivered.indices {
      table.add(
        "\(index)", grouped(result.delivered[index]), grouped(result.lost[index]),
        grouped(result.gapsReported[index]))
    }
    return table.text
  }

  private func verdict(_ result: StressResult) -> String {
    if result.plan.subscribers == 0, result.files != nil {
      return "the files have everything, once and in order"
    }
    if result.plan.subscribers == 0 { return "all were published; nobody received, to check them" }
    return result.lost.allSatisfy { $0 == 0 }
      ? "nothing lost, duplicated, out of order or corrupt"
      : "every loss was reported; nothing duplicated, out of order or corrupt"
  }

  private func mirrorWords(_ result: StressResult) -> String {
    let speed = result.mirroredPerSecond.map { "\(grouped(UInt64($0))) messages/s to the files" }
    let lag = result.mirrorLag.map { "; \(grouped($0)) records behind when all were published" }
    return (speed ?? "the mirror was killed, and publishers went on for it") + (lag ?? "")
  }

  private func words(_ latency: StressResult.Latency) -> String {
    let values = [
      ("p50", latency.p50), ("p99", latency.p99), ("p99.9", latency.p999), ("max", latency.max),
    ]
    return values.map { "\($0) \(decimal($1, digits: 1))" }.joined(separator: "  ")
      + "  microseconds at \(grouped(UInt64(results.first?.plan.rate ?? 0))) messages/s"
  }
}

/// `number` with a comma before every three digits.
private func grouped(_ number: UInt64) -> String {
  var text = ""
  for (index, digit) in String(number).reversed().enumerated() {
    if index > 0, index % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return String(text.reversed())
}
