import ConclaveBus

/// Fast and durable. Returns how many messages a subscription that came late was given.
func keepAndReplay(in path: String) throws -> Int {
  // README: begin
  let bus = try MirroredBus(directory: BusDirectory(opening: path))  // the mirror, if there is none
  let orders = try bus.publisher(
    topic: Topic("orders"), sender: "shop", type: "order", durability: .synced)
  try orders.publish(RawJSON(#"{"item":7}"#))  // on the disk when this returns

  let ticks = try bus.publisher(topic: Topic("ticks"), sender: "clock", type: "tick")
  for number in 1...1000 { try ticks.publish(RawJSON("\(number)")) }  // on the ring alone, so far

  let late = try bus.subscribe(options: SubscriptionOptions(start: .beginning))
  var count = 0
  while count < 1001, case .envelope? = try late.receive(timeout: .seconds(10)) {
    count += 1  // out of the files, then from the ring: no hole, and nothing twice
  }
  bus.close()  // what was published by now is in the files
  // README: end
  return count
}
