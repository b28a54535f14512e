import ConclaveBus

extension Transport {
  /// The bus of a board: by the transport that was chosen, and otherwise by shared memory with its
  /// mirror, or by files alone where there is no room for that, as in many containers.
  ///
  /// - Parameters:
  ///   - publishers: how many processes will speak at once.
  ///   - say: told why the board is in files.
  static func openBoard(
    _ chosen: Transport?, _ directory: BusDirectory, publishers: Int = 1, _ notes: Notes,
    say: (String) -> Void
  ) throws(BusError) -> (bus: any MessageBus, transport: Transport) {
    let warnings = DeliveryNotes(notes: notes)
    if let chosen { return (try chosen.open(directory, BusSettings(), warnings), chosen) }
    do throws(BusError) {
      return (try openMirror(directory, publishers, warnings), .mirror)
    } catch {
      // Where others share memory, in files nobody would hear what is said.
      guard error.code == .noSpace, try SharedMemoryBus.status(of: directory) == nil else {
        throw error
      }
      say("\(error.message); its notes go through files, which is slower")
      return (try Transport.file.open(directory, BusSettings(), warnings), .file)
    }
  }

  /// Only with room for all who are to speak: the bus itself has it when it is open, but memory for
  /// what they say is taken when they begin.
  private static func openMirror(
    _ directory: BusDirectory, _ publishers: Int, _ warnings: DeliveryNotes
  ) throws(BusError) -> any MessageBus {
    let isFirst = try SharedMemoryBus.status(of: directory) == nil
    let bus = try Transport.mirror.open(directory, BusSettings(), warnings)
    guard isFirst, let status = try? SharedMemoryBus.status(of: directory),
      let free = FileSystem(of: status.path)?.free
    else { return bus }
    let wanted = UInt64(min(publishers, status.laneCount)) * UInt64(status.laneBytes)
    guard free < wanted else { return bus }
    bus.close()
    _ = try SharedMemoryBus.clean(directory)
    throw BusError(
      .noSpace, "no room for \(publishers) publishers beside \(status.path)",
      hint: "enlarge it (mount -o remount,size=...)")
  }
}
