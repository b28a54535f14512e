import ConclaveBus

/// A log of which only the last messages are kept. Returns how many are left of 3000.
func keepTheLast(in path: String) throws -> Int {
  // README: begin
  let week = RetentionPolicy(age: .seconds(7 * 86400), size: 1 << 30)
  var rules = RetentionRules(standard: week)
  rules.rules.append(
    .init(prefix: try TopicPrefix("log.debug"), policy: RetentionPolicy(count: 1000)))
  let bus = try FileBus(
    directory: BusDirectory(opening: path), options: FileBusOptions(retention: rules))
  let publisher = try bus.publisher(topic: Topic("log.debug"), sender: "app", type: "line")
  for line in 1...3000 {
    try publisher.publish(RawJSON("{\"line\":\(line)}"))
    if line % 500 == 0 { try bus.rotate(Topic("log.debug")) }  // rotates by itself, but less often
  }
  try bus.enforceRetention()  // does so by itself, too, but not at once
  // README: end
  let rest = try bus.subscribe("log", options: SubscriptionOptions(start: .beginning))
  var count = 0
  while case .envelope? = try rest.poll() { count += 1 }
  return count
}
