extension RandomScript {
  /// What a bus is, without any of what makes one work.
  fileprivate struct Model {
    struct Subscriber {
      let prefix: String
      var unread: [String] = []
      var isCancelled = false
    }

    var subscribers: [Subscriber] = []
    var seq: [String: Int] = [:]
    var number = 0
    var isClosed = false

    mutating func publish(_ sender: String, _ topic: String, _ count: Int) -> String {
      if isClosed { return "closed" }
      for _ in 0..<count {
        seq["\(sender) \(topic)", default: 0] += 1
        let line = "\(topic) \(sender) \(seq["\(sender) \(topic)", default: 0]) \(number)"
        number += 1
        for index in subscribers.indices where subscribers[index].wants(topic) {
          subscribers[index].unread.append(line)
        }
      }
      return "published \(count)"
    }

    mutating func read(_ index: Int) -> Observation {
      defer { subscribers[index].unread = [] }
      let isEnded = isClosed || subscribers[index].isCancelled
      let lines = subscribers[index].unread
      return Observation(text: describe(lines, isEnded: isEnded), messages: lines.count)
    }
  }

  struct Observation {
    let text: String
    /// How many messages a read yields.
    var messages = 0
  }

  /// What one should observe, step by step.
  public func expected() -> [String] { observations().map(\.text) }

  func observations() -> [Observation] {
    var model = Model()
    return steps.map { step in
      if case .read(let index) = step { return model.read(index) }
      return Observation(text: model.act(on: step))
    }
  }

  /// Only the order within each topic, which all transports keep.
  static func describe(_ lines: [String], isEnded: Bool) -> String {
    let topics = Dictionary(grouping: lines) { $0.prefix { $0 != " " } }
    let sorted = topics.sorted { $0.key < $1.key }.flatMap(\.value)
    return "read \(sorted.joined(separator: ", "))\(isEnded ? " and the end" : "")"
  }
}

extension RandomScript.Model {
  fileprivate mutating func act(on step: RandomScript.Step) -> String {
    switch step {
    case .publish(let sender, let topic, let how): return publish(sender, topic, how.count)
    case .subscribe(let prefix):
      if isClosed { return "closed" }
      subscribers.append(Subscriber(prefix: prefix))
      return "subscribed"
    case .unsubscribe(let prefix):
      for index in subscribers.indices where subscribers[index].prefix == prefix {
        subscribers[index].cancel()
      }
      return "unsubscribed"
    case .cancel(let index):
      subscribers[index].cancel()
      return "cancelled"
    case .read(let index): return read(index).text
    case .close:
      isClosed = true
      return "closed now"
    }
  }
}

extension RandomScript.Model.Subscriber {
  fileprivate func wants(_ topic: String) -> Bool {
    !isCancelled && (prefix.isEmpty || topic == prefix || topic.hasPrefix(prefix + "."))
  }

  fileprivate mutating func cancel() {
    isCancelled = true
    unread = []
  }
}
