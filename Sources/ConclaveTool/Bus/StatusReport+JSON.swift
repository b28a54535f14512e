import ConclaveBus

extension StatusReport {
  /// For scripts; keys are only ever added.
  var json: JSONObject {
    var object = JSONObject()
    object.add("directory", location.path)
    object.add("rule", location.rule.rawValue)
    object.add("intervalSeconds", before == nil ? nil : seconds)
    if let segment = now.sharedMemory {
      object.add("sharedMemory", json(of: segment))
    } else {
      object.addNull("sharedMemory")
    }
    object.add("fileProcesses", now.fileProcesses)
    object.add("unusableFiles", now.unusableFiles.map(json(of:)))
    object.add("files", now.files.map(json(of:)))
    object.add("durable", now.durable.map(json(of:)))
    return object
  }

  private func json(of segment: SharedMemoryStatus) -> JSONObject {
    var object = JSONObject()
    object.add("path", segment.path)
    object.add("bytes", segment.bytes)
    object.add("reservedBytes", segment.reservedBytes)
    object.add("layoutVersion", segment.layoutVersion)
    object.add("generation", segment.generation)
    object.add("created", segment.created.description)
    object.add("slots", segment.slotCount)
    object.add("laneCount", segment.laneCount)
    object.add("laneBytes", segment.laneBytes)
    object.add("subscriberCount", segment.subscriberCount)
    object.add("messageLimit", segment.messageLimit)
    object.add("position", segment.position)
    object.add("recordsPerSecond", recordsPerSecond(segment))
    object.add("lanes", segment.lanes.map(json(of:)))
    object.add("subscribers", segment.subscribers.map(json(of:)))
    object.add("damage", json(of: segment.damage))
    if let mirror = segment.mirror {
      object.add("mirror", json(of: mirror))
    } else {
      object.addNull("mirror")
    }
    return object
  }

  private func json(of damage: SharedMemoryStatus.Damage) -> JSONObject {
    var object = JSONObject()
    object.add("slots", damage.slots)
    object.add("lanes", damage.lanes)
    object.add("blocked", damage.isBlocked)
    return object
  }

  private func json(of lane: SharedMemoryStatus.Lane) -> JSONObject {
    var object = JSONObject()
    object.add("index", lane.index)
    object.add("live", lane.isLive)
    object.add("process", lane.process)
    object.add("incarnation", lane.incarnation)
    object.add("messages", lane.messages)
    object.add("messagesPerSecond", messagesPerSecond(lane))
    return object
  }

  private func json(of subscriber: SharedMemoryStatus.Subscriber) -> JSONObject {
    var object = JSONObject()
    object.add("index", subscriber.index)
    object.add("live", subscriber.isLive)
    object.add("process", subscriber.process)
    object.add("prefix", subscriber.prefix)
    object.add("policy", policy(subscriber))
    object.add("position", subscriber.position)
    object.add("lag", subscriber.lag)
    object.add("lost", subscriber.lost)
    return object
  }

  private func json(of file: UnusableTopicFile) -> JSONObject {
    var object = JSONObject()
    object.add("path", file.path)
    object.add("reason", file.reason)
    return object
  }

  private func json(of file: TopicFileStatus) -> JSONObject {
    var object = JSONObject()
    object.add("topic", file.topic.name)
    object.add("path", file.path)
    object.add("bytes", file.bytes)
    object.add("modified", file.modified.description)
    object.add("bytesPerSecond", bytesPerSecond(file))
    object.add("fileCount", file.files.count)
    return object
  }
}
