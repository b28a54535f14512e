import ConclaveBus

/// The fast way between processes. Returns how many bytes of payload were read, and how many
/// messages were missing.
func readInPlace(in path: String) throws -> (bytes: Int, missing: UInt64) {
  // README: begin
  let bus = try SharedMemoryBus(directory: BusDirectory(opening: path))
  let patient = SubscriptionOptions(policy: .backPressure(timeout: .seconds(5)))
  let items = try bus.subscribe("work", options: patient)  // publishers wait for this one

  let publisher = try bus.publisher(topic: Topic("work.items"), sender: "planner", type: "item")
  for number in 1...100 { try publisher.publish(RawJSON("{\"number\":\(number)}")) }

  var (count, bytes, missing) = (0, 0, UInt64(0))
  while count < 100 {
    count += try items.drain { gap in
      missing += gap.count
    } onMessage: { envelope, payload in  // lent, not copied: both are gone when this returns
      bytes += payload.byteCount
    }
    if count < 100 { items.wait() }  // asleep until there is something
  }
  // README: end
  return (bytes, missing)
}
