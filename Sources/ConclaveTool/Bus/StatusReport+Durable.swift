import ConclaveBus

/// What `status` says of the durable subscriptions.
extension StatusReport {
  /// A table for people, and a line for each that cannot be used or may have lost messages; nothing
  /// when there are none.
  var durableText: String {
    guard !now.durable.isEmpty else { return "" }
    var table = TextTable([
      ("NAME", .left), ("PREFIX", .left), ("POSITION", .right), ("UNACKNOWLEDGED", .right),
      ("LAG", .right), ("MEMBERS", .left),
    ])
    for status in now.durable where status.failure == nil {
      let members = status.members.map { "\($0.process)" }.joined(separator: ", ")
      table.add(
        status.name, status.prefix.isEmpty ? "(all)" : status.prefix, "\(status.position)",
        "\(status.unacknowledged)", "\(status.lag)", members.isEmpty ? "none" : members)
    }
    return "durable      \(now.durable.count)\n" + table.text
      + now.durable.map(troubleText).joined()
  }

  private func troubleText(_ status: DurableStatus) -> String {
    if let failure = status.failure {
      return "             \(status.name) cannot be used: \(failure)\n"
    }
    guard !status.overtaken.isEmpty else { return "" }
    return "             \(status.name) may have lost messages to retention, of "
      + status.overtaken.map(\.name).joined(separator: ", ") + "\n"
  }

  /// For scripts; keys are only ever added.
  func json(of status: DurableStatus) -> JSONObject {
    var object = JSONObject()
    object.add("name", status.name)
    object.add("path", status.path)
    object.add("prefix", status.prefix)
    object.add("position", status.position)
    object.add("claimed", status.claimed)
    object.add("unacknowledged", status.unacknowledged)
    object.add("lag", status.lag)
    object.add("members", status.members.map(json(of:)))
    object.add("overtaken", status.overtaken.map(\.name))
    if let failure = status.failure {
      object.add("failure", failure.message)
    } else {
      object.addNull("failure")
    }
    return object
  }

  private func json(of member: DurableStatus.Member) -> JSONObject {
    var object = JSONObject()
    object.add("process", member.process)
    object.add("unacknowledged", member.unacknowledged)
    return object
  }
}
