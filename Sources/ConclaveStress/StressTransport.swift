import ConclaveBus

extension StressPlan.Transport {
  /// Whether publishers and subscribers are processes; threads of one process otherwise.
  package var usesProcesses: Bool { self != .channel }

  /// How many messages a subscription of the in-process bus buffers: enough that its reader need
  /// not be woken for every few of them.
  fileprivate static let channelCapacity = 1024

  /// Removes what the bus in `directory` keeps elsewhere.
  func clean(_ directory: String) throws(BusError) {
    if self == .shm {
      _ = try SharedMemoryBus.clean(BusDirectory(opening: directory, create: false))
    }
  }
}

extension StressPlan {
  /// Opens the bus that lies in `directory`, for a worker; the in-process one needs none.
  func open(_ directory: String, for role: WorkerRole) throws(BusError) -> any MessageBus {
    switch transport {
    case .shm where mirror != .none:
      // Publishers go on for a mirror that was killed.
      try MirroredBus(
        directory: BusDirectory(opening: directory),
        options: MirrorOptions(
          durability: mirror == .synced ? .synced : .ring, isCandidate: !role.isSubscriber))
    case .shm: try SharedMemoryBus(directory: BusDirectory(opening: directory))
    case .file: try FileBus(directory: BusDirectory(opening: directory))
    case .channel: ChannelBus()
    }
  }

  /// How the subscribers of this plan subscribe.
  var subscriptionOptions: SubscriptionOptions {
    SubscriptionOptions(
      policy: policy == .dropping ? .dropping : .backPressure(timeout: nil),
      capacity: Transport.channelCapacity)
  }
}
