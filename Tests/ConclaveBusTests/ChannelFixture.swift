import BusTesting
import ConclaveBus

/// One ``ChannelBus``: within a process there is nothing to share but the object itself.
final class ChannelFixture: BusFixture {
  let transportName = "ChannelBus"
  private let bus = ChannelBus()

  func makeBus() -> any MessageBus { bus }
}
