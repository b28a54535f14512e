import ConclaveBus

/// Somebody who does not keep up. Returns what came of messages 1 to 100.
func fallBehind() throws -> (delivered: Int, missing: UInt64, warnings: Int) {
  let warned = WarningCount()
  // README: begin
  let bus = ChannelBus()
  let slow = try bus.subscribe(
    "numbers",
    options: SubscriptionOptions(policy: .dropping, capacity: 8, onWarning: { _ in warned.add() }))
  let publisher = try bus.publisher(topic: Topic("numbers"), sender: "counter", type: "number")
  for number in 1...100 { try publisher.publish(RawJSON("\(number)")) }  // never waits
  bus.close()

  var (delivered, missing) = (0, UInt64(0))
  while let delivery = try slow.poll() {
    switch delivery {
    case .envelope: delivered += 1  // 1 to 8
    case .gap(let gap): missing += gap.count  // seq 9...100 of "counter": each counted once
    }
  }
  // README: end
  return (delivered, missing, warned.value)
}
