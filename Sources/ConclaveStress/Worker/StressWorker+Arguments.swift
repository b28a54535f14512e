extension StressWorker {
  /// What a worker process must be told, as words of its command line.
  func arguments(directory: String) -> [String] {
    let (kind, index) =
      switch role {
      case .publisher(let index): ("publisher", index)
      case .subscriber(let index): ("subscriber", index)
      case .mirror: ("mirror", 0)
      }
    let numbers = [
      index, plan.publishers, plan.subscribers, plan.messages, plan.payloadBytes, plan.rate ?? 0,
      plan.batch,
    ]
    return [kind] + numbers.map(String.init)
      + [plan.transport.rawValue, plan.policy.rawValue, plan.mirror.rawValue, directory]
  }

  /// How many words ``arguments(directory:)`` makes.
  package static let argumentCount = 12

  /// The worker that these words describe and its bus directory, or nil.
  package static func parse(_ words: [String]) -> (worker: StressWorker, directory: String)? {
    guard words.count == argumentCount else { return nil }
    let numbers = words[1...7].compactMap { Int($0) }
    guard numbers.count == 7, let transport = StressPlan.Transport(rawValue: words[8]),
      let policy = StressPlan.Policy(rawValue: words[9]),
      let mirror = StressPlan.Mirror(rawValue: words[10])
    else { return nil }
    var plan = StressPlan()
    plan.publishers = numbers[1]
    plan.subscribers = numbers[2]
    plan.messages = numbers[3]
    plan.payloadBytes = numbers[4]
    plan.rate = numbers[5] == 0 ? nil : numbers[5]
    plan.batch = numbers[6]
    plan.transport = transport
    plan.policy = policy
    plan.mirror = mirror
    guard let role = role(words[0], numbers[0], in: plan) else { return nil }
    return (StressWorker(plan: plan, role: role), words[11])
  }

  private static func role(_ kind: String, _ index: Int, in plan: StressPlan) -> WorkerRole? {
    guard (try? plan.check()) != nil else { return nil }
    switch kind {
    case "publisher": return (0..<plan.publishers).contains(index) ? .publisher(index) : nil
    case "subscriber": return (0..<plan.subscribers).contains(index) ? .subscriber(index) : nil
    case "mirror": return plan.mirror != .none && index == 0 ? .mirror : nil
    default: return nil
    }
  }
}
