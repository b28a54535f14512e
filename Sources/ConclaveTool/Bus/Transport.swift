import ConclaveBus

/// The transports that connect processes, by the names that `--transport` and `BUS_TRANSPORT` take.
enum Transport: String, CaseIterable {
  case sharedMemory = "shm"
  case file

  /// Opens the bus in `directory`.
  func open(
    _ directory: BusDirectory, polling: PollingIntervals
  ) throws(BusError) -> any MessageBus {
    switch self {
    case .sharedMemory:
      return try SharedMemoryBus(directory: directory)
    case .file:
      return try FileBus(
        directory: directory,
        options: FileBusOptions(
          pollInterval: polling.shortest, pollMaxInterval: polling.longest))
    }
  }
}
