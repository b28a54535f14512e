import ConclaveBus

/// The same order twice. Returns how often it was delivered.
func orderOnce(in path: String) throws -> Int {
  // README: begin
  let bus = try FileBus(directory: BusDirectory(opening: path))
  let order = Message(
    type: "order", sender: "shop", payload: try RawJSON(#"{"item":7}"#),
    idempotencyKey: try IdempotencyKey("order-4711"))
  try bus.publish(order, to: Topic("orders"))
  try bus.publish(order, to: Topic("orders"))  // acknowledged, and not delivered again

  let orders = try bus.subscribe("orders", options: SubscriptionOptions(start: .beginning))
  var delivered = 0
  while case .envelope? = try orders.poll() { delivered += 1 }  // one
  // README: end
  return delivered
}
