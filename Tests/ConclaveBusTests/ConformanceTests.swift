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

/// Those of them that count something, shortly before the numbers wrap.
private let wraps = ([31, 32, 63, 64] as [UInt64]).flatMap(makers)

private func makers(before width: UInt64) -> [@Sendable () throws -> any BusFixture] {
  [{ try SharedMemoryFixture(before: width) }, { try MirroredFixture(before: width) }]
}

/// A rule on a transport.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
  let rule: ConformanceRule
  let transport: String
  let makeFixture: @Sendable () throws -> any BusFixture

  var testDescription: String { "\(transport): \(rule)" }

  static func all(
    _ transports: [@Sendable () throws -> any BusFixture]
  ) throws -> [ConformanceCase] {
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
  @Test(arguments: try ConformanceCase.all(transports))
  func keepsTheRule(_ test: ConformanceCase) async throws {
    try await test.rule.run(on: test.makeFixture())
  }

  @Test func rulesHaveDifferentNames() {
    #expect(Set(ConformanceRule.all.map(\.name)).count == ConformanceRule.all.count)
  }
}

@Suite(.inTurns) struct WrappingTests {
  @Test(arguments: try ConformanceCase.all(wraps))
  func keepsTheRule(_ test: ConformanceCase) async throws {
    try await test.rule.run(on: test.makeFixture())
  }
}
