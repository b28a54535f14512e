/// Tasks as a plan's text names them, in its order. What they need of each other is a
/// ``PlanGraph``'s business.
public struct Plan: Hashable, Sendable {
  /// In plan order.
  public let tasks: [PlanTask]

  /// The longest text that is read, in bytes.
  public static let sizeLimit = 16 << 20

  public init(tasks: [PlanTask]) { self.tasks = tasks }

  /// Reads a plan: Markdown with a section `## Task N: title` for each task.
  ///
  /// - Complexity: O(bytes).
  /// - Throws: everything in the text that cannot be understood, not only the first.
  public init(_ bytes: [UInt8]) throws(PlanError) {
    let reading = PlanParser.read(bytes)
    guard reading.issues.isEmpty else { throw PlanError(reading.issues) }
    self = reading.plan
  }

  public init(_ text: String) throws(PlanError) { try self.init(Array(text.utf8)) }
}

/// One task of a plan.
public struct PlanTask: Hashable, Sendable {
  /// The number in its heading, at most nine digits.
  public var id: Int
  /// What stands behind the number, one line, not empty.
  public var title: String
  /// The title as part of a file's or branch's name: 1 to 40 lower-case ASCII letters, digits and
  /// single dashes. Not unique: ``folderName`` and ``branchName`` are.
  public var slug: String
  /// Its whole section, heading included, as the plan has it.
  public var text: String
  /// What it says that it changes.
  public var files: [PlanFile]
  /// The tasks that must be done before, each once, as written: they need not exist.
  public var dependencies: [Int]
  /// Whether its section says on what it depends, if only `None`.
  public var saysDependencies: Bool
  /// Where its heading is, counted from 1.
  public var line: Int

  public init(
    id: Int, title: String, text: String, files: [PlanFile] = [], dependencies: [Int] = [],
    saysDependencies: Bool = true, line: Int = 1
  ) {
    self.id = id
    self.title = title
    slug = FailedWork.slug(title)
    self.text = text
    self.files = files
    self.dependencies = dependencies
    self.saysDependencies = saysDependencies
    self.line = line
  }

  /// `task-7-the-slug`: the worktree's directory, and the task's name for others.
  public var folderName: String { "task-\(id)-\(slug)" }

  /// `task/7-the-slug`.
  public var branchName: String { "task/\(id)-\(slug)" }
}

/// A file, a directory or a pattern that a task changes.
public struct PlanFile: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case create
    case modify
    case test
  }

  /// Below the top of the repository, without `.`, `..`, empty parts and a slash at the end; `.`
  /// for all of it.
  public var path: String
  public var kind: Kind
  /// The lines that were named, from the first to the last, or nil.
  public var lines: ClosedRange<Int>?

  public init(path: String, kind: Kind = .modify, lines: ClosedRange<Int>? = nil) {
    self.path = path
    self.kind = kind
    self.lines = lines
  }
}
