import ConclaveBus

/// What a check found; ``ConformanceRule/run(on:patience:)`` adds which rule on which transport.
struct Violation: Error {
  let expected: String
  let seen: String
}

enum Patience {
  /// How long something that must happen may take.
  @TaskLocal static var each: Duration = .seconds(30)
}

/// Throws unless `condition`.
func expect(
  _ condition: Bool, _ expected: @autoclosure () -> String, saw seen: @autoclosure () -> Any
) throws {
  if !condition { throw Violation(expected: expected(), seen: "\(seen())") }
}

func expectEqual<T: Equatable>(
  _ seen: T, _ expected: T, _ what: @autoclosure () -> String
) throws {
  if seen != expected {
    throw Violation(expected: "\(what()) \(brief(expected))", seen: brief(seen))
  }
}

/// Throws unless `body` throws a ``BusError`` with `code`, alone or in a ``PublishFailure``.
func expectError(
  _ code: BusError.Code, from what: @autoclosure () -> String, _ body: () async throws -> Void
) async throws {
  do {
    try await body()
  } catch {
    let seen = (error as? BusError) ?? (error as? PublishFailure)?.cause
    if seen?.code == code { return }
    throw Violation(
      expected: "\(code) from \(what())", seen: "\(seen?.code.rawValue ?? "") \(error)")
  }
  throw Violation(expected: "\(code) from \(what())", seen: "success")
}

/// A value for a message, no longer than a few lines.
private func brief<T>(_ value: T) -> String {
  let text = "\(value)"
  return text.utf8.count <= 400 ? text : "\(text.prefix(400))... (\(text.utf8.count) bytes)"
}
