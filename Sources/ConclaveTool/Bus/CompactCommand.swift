import ConclaveBus

/// `conclave bus compact`: puts topic files aside and removes those that are not to be kept.
enum CompactCommand: Command {
  private static let retention = Option(
    "retention", value: "LIMITS",
    "what to keep: age=7d,size=1GiB,count=1000000, one or more of them; default: everything")
  private static let topic = Option(
    "topic", value: "PREFIX", "only this topic and those below it")
  private static let dryRun = Option(
    "dry-run", short: "n", "only say what would be done")

  static let usage = Usage(
    "bus compact", "rotate topic files, and remove old ones",
    details: """
      Each topic file that is appended to is put aside under the next number, as
      TOPIC.jsonl.000001 and so on, and a new one begins. Then, of each topic, what
      exceeds any of the limits is removed, oldest files first. Publishers and
      subscribers may be at work; who reads a file that is removed reads it to its
      end, and who comes later is told of the gap.

      Ages have the unit ms, s, m, h, d or w, sizes KiB, MiB, GiB or none (bytes).
      Ends with exit code 3 when there is no bus, with 5 when another process keeps
      a file locked or is removing files for long.
      """,
    options: [retention, topic, dryRun] + Option.place,
    examples: [
      Example("keep the last week", "conclave bus compact --retention age=7d"),
      Example(
        "see what more than 1 GiB of each log is",
        "conclave bus compact --topic log --retention size=1GiB --dry-run"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let policy = try arguments.retention(retention) ?? RetentionPolicy()
    let prefix = try TopicPrefix(arguments.text(topic) ?? "")
    let rules = RetentionRules(rules: [RetentionRules.Rule(prefix: prefix, policy: policy)])
    let directory = try arguments.busDirectory(create: false)
    let notes = DeliveryNotes(notes: console.notes)
    try notes.warnOfUnusableFiles(in: directory)
    var options = FileBusOptions(onWarning: { notes.warn($0) })
    options.retentionGuard = DurableStatus.retentionGuard(of: directory)
    let report = CompactReport(
      isDry: arguments.has(dryRun),
      results: arguments.has(dryRun)
        ? try FileBus.compaction(of: directory, by: rules)
        : try FileBus(directory: directory, options: options).compact(by: rules))
    try console.output.write(console.json ? report.json.text + "\n" : report.text)
    return .success
  }
}

extension Arguments {
  /// The limits that an option says.
  func retention(_ option: Option) throws(ToolError) -> RetentionPolicy? {
    let form = "limits such as age=7d,size=1GiB,count=1000000"
    let policy = try value(option, form: form, RetentionPolicy.init)
    if let limit = policy?.limitOfNothing {
      throw usageError(
        "--\(option.long) with \(limit) would keep nothing",
        hint: "use a limit greater than 0; conclave bus clean removes everything")
    }
    return policy
  }
}

/// What was done to the topics, or would be.
private struct CompactReport {
  let isDry: Bool
  let results: [RetentionResult]

  var text: String {
    guard !results.isEmpty else { return "nothing to rotate or remove\n" }
    return results.map(text(of:)).joined()
  }

  private func text(of result: RetentionResult) -> String {
    let would = isDry ? "would " : ""
    var text = ""
    if result.isRotated { text += "\(would)\(isDry ? "rotate" : "rotated") \(result.topic)\n" }
    if result.files > 0 {
      let files = result.files == 1 ? "1 file" : "\(result.files) files"
      let messages = result.messages == 1 ? "1 message" : "\(result.messages) messages"
      text +=
        "\(would)\(isDry ? "remove" : "removed") \(files) of \(result.topic): "
        + "\(readableBytes(result.bytes)), \(messages)\n"
    }
    return text
  }

  var json: JSONObject {
    var object = JSONObject()
    object.add("dryRun", isDry)
    object.add("topics", results.map(json(of:)))
    return object
  }

  private func json(of result: RetentionResult) -> JSONObject {
    var object = JSONObject()
    object.add("topic", result.topic.name)
    object.add("rotated", result.isRotated)
    object.add("removedFiles", result.files)
    object.add("removedBytes", result.bytes)
    object.add("removedMessages", result.messages)
    return object
  }
}
