import ConclaveBus

/// The transports that connect processes, by the names that `--transport` and `BUS_TRANSPORT` take.
enum Transport: String, CaseIterable {
  case sharedMemory = "shm"
  case file

  /// Opens the bus in `directory`; warns on standard error.
  func open(
    _ directory: BusDirectory, polling: PollingIntervals, _ notes: DeliveryNotes
  ) throws(BusError) -> any MessageBus {
    switch self {
    case .sharedMemory:
      return try SharedMemoryBus(directory: directory) { notes.warn($0) }
    case .file:
      return try FileBus(
        directory: directory,
        options: FileBusOptions(
          pollInterval: polling.shortest, pollMaxInterval: polling.longest))
    }
  }
}
