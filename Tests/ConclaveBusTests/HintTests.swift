import BusTesting
import ConclaveBus
import Glibc
import SharedRing
import Testing

/// Hints are shown by the command as they are, so they say what a person there can do.
@Suite struct HintTests {
  @Test func exhausted() throws {
    let temporary = try TemporaryDirectory()
    let directory = try BusDirectory(opening: temporary.path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let bus = try SharedMemoryBus(
      directory: directory,
      options: SharedMemoryOptions(geometry: RingGeometry(subscriptionCount: 1)))
    let first = try bus.subscribe()
    do {
      _ = try bus.subscribe()
      Issue.record("there is one row")
    } catch {
      #expect(error.code == .exhausted)
      #expect(
        error.hint == "end some publishers or subscribers; 'conclave bus status' shows them")
    }
    first.cancel()
  }

  /// The same words with the same numbers, whatever carries the message.
  @Test func tooLarge() throws {
    let temporary = try TemporaryDirectory()
    let directory = try BusDirectory(opening: temporary.path)
    defer { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }
    let buses: [any MessageBus] = [
      ChannelBus(), try FileBus(directory: directory), try SharedMemoryBus(directory: directory),
    ]
    let payload = try Payloads.sized((16 << 20) + 1)
    for bus in buses {
      let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
      do {
        try publisher.publish(payload)
        Issue.record("\(bus) takes it")
      } catch {
        #expect(
          error
            == BusError(
              .messageTooLarge,
              "a payload of 16777217 bytes is larger than the bus's limit of 16777216",
              hint: "split it, or publish the name of a file that holds it"))
      }
    }
  }
}
