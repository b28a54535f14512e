/// Why a plan cannot be carried out: everything that is wrong with it, by line.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
  /// At least one, in the order of their lines.
  public let issues: [PlanIssue]

  init(_ issues: [PlanIssue]) {
    // Stable, so that two issues of one line stay in the order in which they were found.
    self.issues = issues.enumerated()
      .sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(\.element)
  }

  public var description: String { issues.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong with a plan.
public struct PlanIssue: Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// The text is not UTF-8, or a fence or a comment in it never ends.
    case unreadable
    /// A heading that is meant to begin a task does not.
    case badHeading
    case badFiles
    case badDependencies
    case missingDependencies
    case duplicateTask
    case unknownTask
    case dependsOnItself
    case cycle
    case noTasks
    case tooLarge
  }

  public let code: Code
  /// Counted from 1.
  public let line: Int
  /// One sentence without a final full stop.
  public let message: String
  /// What to do, one sentence without a final full stop.
  public let hint: String

  init(_ code: Code, line: Int, _ message: String, hint: String) {
    self.code = code
    self.line = line
    self.message = message
    self.hint = hint
  }

  public var description: String { "line \(line): \(message); \(hint)" }
}
