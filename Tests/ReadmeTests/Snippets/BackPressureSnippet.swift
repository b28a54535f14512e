import ConclaveBus

/// Somebody who never reads, and a publisher who loses patience. Returns how many messages went out
/// before that.
func loseNothing() throws -> Int {
  // README: begin
  let bus = ChannelBus()
  let wait = SubscriptionOptions.Policy.backPressure(timeout: .milliseconds(50))
  let stuck = try bus.subscribe("jobs", options: SubscriptionOptions(policy: wait, capacity: 2))
  let publisher = try bus.publisher(topic: Topic("jobs"), sender: "planner", type: "job")
  let jobs = try ["1", "2", "3"].map { try RawJSON($0) }
  do throws(PublishFailure) {
    try publisher.publish(batch: jobs)  // blocks for 50 ms, then says how far it came
    return jobs.count
  } catch {
    guard error.cause.code == .backPressureTimedOut else { throw error }
    stuck.cancel()  // publishers wait for it no longer
    try publisher.publish(batch: Array(jobs[error.published...]))
    return error.published
  }
  // README: end
}
