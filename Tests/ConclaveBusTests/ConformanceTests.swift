import BusTesting
import ConclaveBus
import Testing

/// The transports that must keep every rule. A new one is one line here and a fixture.
private let transports: [@Sendable () throws -> any BusFixture] = [
  { ChannelFixture() },
  { try FileFixture() },
  { try SharedMemoryFixture() },
  { try MirroredFixture() },
  { try ReadOnlyFixture(SharedMemoryFixture()) },
  { try ReadOnlyFixture(MirroredFixture()) },
]

/// A rule on a transport.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
  let rule: ConformanceRule
  let transport: String
  let makeFixture: @Sendable () throws -> any BusFixture

  var testDescription: String { "\(transport): \(rule)" }

  static func all() throws -> [ConformanceCase] {
    try transports.flatMap { makeFixture in
      let example = try makeFixture()
      return ConformanceRule.all.filter { $0.applies(to: example) }.map { rule in
        ConformanceCase(
          rule: rule, transport: example.transportName, makeFixture: makeFixture)
      }
    }
  }
}

@Suite(.inTurns) struct ConformanceTests {
  @Test(arguments: try ConformanceCase.all())
  func keepsTheRule(_ test: ConformanceCase) async throws {
    try await test.rule.run(on: test.makeFixture())
  }

  @Test func rulesHaveDifferentNames() {
    #expect(Set(ConformanceRule.all.map(\.name)).count == ConformanceRule.all.count)
  }
}
