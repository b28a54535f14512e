import ConclaveBus

/// One promise that every ``MessageBus`` keeps, and how to find out whether a transport does.
///
/// Run all of them over a transport of your own from any test framework:
/// ```swift
/// for rule in ConformanceRule.all where rule.applies(to: fixture) {
///   try await rule.run(on: MyFixture())  // a fresh fixture for each
/// }
/// ```
public struct ConformanceRule: Sendable, CustomStringConvertible {
  public let name: String
  /// Whether a transport can be asked to keep this; a rule about losses cannot fail where nothing
  /// is ever lost.
  public let applies: @Sendable (any BusFixture) -> Bool
  /// Throws when the rule is broken; see ``run(on:patience:)``.
  public let check: @Sendable (any BusFixture) async throws -> Void

  public var description: String { name }

  init(
    _ name: String, where applies: @escaping @Sendable (any BusFixture) -> Bool = { _ in true },
    check: @escaping @Sendable (any BusFixture) async throws -> Void
  ) {
    self.name = name
    self.applies = applies
    self.check = check
  }

  public func applies(to fixture: any BusFixture) -> Bool { applies(fixture) }

  /// All rules, in the order in which one would want to see them fail.
  public static let all: [ConformanceRule] =
    numberingRules + nameRules + payloadRules + orderRules + startRules + readingRules
    + endingRules + unsubscribingRules + backPressureRules + droppingRules + keyRules + stressRules

  /// Checks this rule on `fixture`, which must be fresh.
  ///
  /// - Parameter patience: how long something that must happen may take (ten minutes, since the
  ///   machine may have much else to do); the rule as a whole gets ten times as much. No rule
  ///   measures time beyond that.
  /// - Throws: ``ConformanceFailure``.
  public func run(on fixture: any BusFixture, patience: Duration = hangLimit) async throws {
    do {
      try await Patience.$each.withValue(patience) {
        try await withHangGuard(patience * 10) { [check] in try await check(fixture) }
      }
    } catch let violation as Violation {
      throw ConformanceFailure(
        rule: name, transport: fixture.transportName, expected: violation.expected,
        seen: violation.seen)
    } catch {
      throw ConformanceFailure(
        rule: name, transport: fixture.transportName, expected: "no error", seen: "\(error)")
    }
  }
}

/// A rule that a transport broke.
public struct ConformanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public let rule: String
  public let transport: String
  public let expected: String
  public let seen: String

  public var description: String {
    "\(transport) breaks \"\(rule)\": expected \(expected), saw \(seen)"
  }
}
