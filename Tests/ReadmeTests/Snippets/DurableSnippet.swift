import ConclaveBus

/// Three jobs, of which one fails at first. Returns which were worked on, in this order.
func workThrough(in path: String) throws -> [String] {
  // README: begin
  let bus = try MirroredBus(directory: BusDirectory(opening: path))
  let jobs = try bus.subscribe(durable: "builders", to: "jobs")  // a member of the group "builders"
  for name in ["a", "b", "c"] {
    let job = Message(type: "job", sender: "planner", payload: RawJSON.text(name))
    try bus.publish(job, to: Topic("jobs"))
  }
  var worked: [String] = []
  while worked.count < 4, let job = try jobs.receive(timeout: .seconds(10)) {
    worked.append(job.envelope.payload.description)
    if worked.count == 1 {
      try jobs.reject(job, reason: "no room left")  // comes again, marked as redelivered
    } else {
      try jobs.acknowledge(job)  // does not come again, whoever dies
    }
  }
  // README: end
  jobs.close()
  bus.close()
  return worked
}
