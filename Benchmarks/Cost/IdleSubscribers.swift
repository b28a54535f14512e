import ConclaveBus

/// Whether publishing costs more with more subscribers: it must not.
enum IdleSubscribers {
  private static let counts = [0, 1, 4, 16]

  static func measure(_ loop: CostLoop, _ record: inout Record) throws {
    try Scratch.with { scratch in
      let bus = try SharedMemoryBus(directory: scratch.directory)
      defer { bus.close() }
      let publisher = try CostCases.publisher(bus)
      let payload = try Payloads.json(bytes: CostCases.payloadBytes)
      let publish = { (count: Int) in for _ in 0..<count { try publisher.publish(payload) } }
      // Joined and never reading, from few to many; all in turns so often that drifts even out.
      var costs = counts.map { _ in [Double]() }
      for _ in 0..<loop.turns {
        var joined: [Subscription] = []
        for (index, count) in counts.enumerated() {
          while joined.count < count { joined.append(try bus.subscribe()) }
          let turn = CostLoop(turns: 1, batches: loop.batches, interruption: loop.interruption)
          let cost = try turn.measure([CostCase(name: "idle", publish: publish, receive: nil)])
          costs[index].append(cost[0].publish)
        }
        for subscription in joined { subscription.cancel() }
      }
      for (count, costs) in zip(counts, costs) {
        record.add("publish, \(count) dropping subscribers joined", middle(of: costs), "ns")
      }
      record.addRatio(
        "publish, 16 subscribers / none", middle(of: costs[3]) / middle(of: costs[0]))
    }
  }
}
