import BusTesting
import ConclaveBus

/// The rules over a transport of one's own. Returns how many were kept.
func checkATransport() async throws -> Int {
  var kept = 0
  // README: begin
  final class MyFixture: BusFixture {
    let transportName = "MyBus"
    private let bus = ChannelBus()  // here stands your own transport
    func makeBus() -> any MessageBus { bus }
  }
  for rule in ConformanceRule.all where rule.applies(to: MyFixture()) {
    try await rule.run(on: MyFixture())  // a fresh bus for each rule
    kept += 1
  }
  // README: end
  return kept
}
