import ConclaveBus

/// A durable log. Returns how many messages were read back.
func keepALog(in path: String) throws -> Int {
  // README: begin
  let directory = try BusDirectory(opening: path)  // made if need be, for this user alone
  let bus = try FileBus(directory: directory)
  let publisher = try bus.publisher(topic: Topic("log.app"), sender: "app", type: "line")
  let lines = try (1...64).map { try RawJSON("{\"line\":\($0)}") }
  try publisher.publish(batch: lines)  // one lock, one write

  let everything = try bus.subscribe("log", options: SubscriptionOptions(start: .beginning))
  var count = 0
  while count < 64, case .envelope? = try everything.receive(timeout: .seconds(10)) {
    count += 1  // this plain thread sleeps in receive until there is something
  }
  // README: end
  return count
}
