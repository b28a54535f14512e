/// Reads a plan's text: tasks by their headings, and in each one's section what it says of files
/// and dependencies.
struct PlanParser {
  private struct Section {
    var task: PlanTask
    let level: Int
    let start: Int
    /// Where it begins to say on what it depends.
    var dependenciesLine: Int?
  }

  private let text: PlanText
  private var tasks: [PlanTask] = []
  private var issues: [PlanIssue]
  private var section: Section?
  private var field: PlanField?
  private var dependencyCount = 0

  /// More of them would be a mistake, and would take all memory.
  private static let dependencyLimit = 1_000_000

  private init(_ text: PlanText) {
    self.text = text
    issues = text.issues
  }

  /// - Returns: the tasks as far as they can be understood, and what cannot be.
  static func read(_ bytes: [UInt8]) -> (plan: Plan, issues: [PlanIssue]) {
    var parser = PlanParser(PlanText(bytes))
    for line in parser.text.lines { parser.take(line) }
    parser.endSection(at: parser.text.bytes.count)
    return (Plan(tasks: parser.tasks), parser.issues)
  }

  private mutating func take(_ line: PlanText.Line) {
    guard let visible = line.visible else { return endField() }
    if let heading = PlanHeading(visible) {
      endField()
      take(heading, line)
    } else if section != nil {
      takeText(visible, line.number)
    }
  }

  private mutating func take(_ heading: PlanHeading, _ line: PlanText.Line) {
    switch heading.meaning {
    case .task(let id, let title): begin(id, title, heading, line)
    case .wrong(let words, let id):
      issues.append(
        PlanIssue(
          .badHeading, line: line.number, words,
          hint: "write ## Task \(id ?? 1): Title, or another word than Task"))
      // So that who depends on it is not wrong as well.
      if let id { begin(id, "unreadable", heading, line) }
    case .other:
      if let level = section?.level, heading.level <= level {
        endSection(at: line.bytes.lowerBound)
      } else if section != nil {
        field = PlanField(heading: heading.text, line: line.number)
      }
    }
  }

  private mutating func begin(
    _ id: Int, _ title: String, _ heading: PlanHeading, _ line: PlanText.Line
  ) {
    endSection(at: line.bytes.lowerBound)
    let task = PlanTask(
      id: id, title: title, text: "", saysDependencies: false, line: line.number)
    section = Section(task: task, level: heading.level, start: line.bytes.lowerBound)
  }

  private mutating func endSection(at end: Int) {
    endField()
    guard var ended = section else { return }
    section = nil
    ended.task.text = String(decoding: text.bytes[ended.start..<end], as: UTF8.self)
    tasks.append(ended.task)
  }

  private mutating func takeText(_ visible: String, _ number: Int) {
    let line = PlanListLine(visible)
    if let begun = PlanField(line, number: number) {
      endField()
      field = begun
      if !begun.inline.isEmpty {
        take(begun.kind, begun.inline, number)
        field = nil
      }
      return
    }
    guard field != nil else { return }
    switch field?.next(line) ?? .end {
    case .item(let text): take(field?.kind ?? .files, text, number)
    case .ignored: break
    case .end: endField()
    }
  }

  private mutating func endField() {
    guard let ended = field else { return }
    field = nil
    guard ended.isEmpty else { return }
    issues.append(
      PlanIssue(
        ended.kind == .files ? .badFiles : .badDependencies, line: ended.line,
        "nothing stands behind \(ended.kind.rawValue)", hint: "write None if there are none"))
    section?.task.saysDependencies = true
  }

  private mutating func take(_ kind: PlanField.Kind, _ text: String, _ line: Int) {
    switch kind {
    case .files: takeFiles(text, line)
    case .dependencies: takeDependencies(text, line)
    }
  }

  private mutating func takeFiles(_ text: String, _ line: Int) {
    var list = PlanFileList(text, usualKind: field?.fileKind)
    do throws(PlanMistake) {
      try list.read()
      if list.paths.isEmpty { field?.fileKind = list.kind }
    } catch {
      issues.append(PlanIssue(.badFiles, line: line, error.message, hint: error.hint))
    }
    section?.task.files += list.paths
  }

  private mutating func takeDependencies(_ text: String, _ line: Int) {
    guard var task = section?.task else { return }
    task.saysDependencies = true
    defer { section?.task = task }
    if let first = section?.dependenciesLine, first != field?.line {
      issues.append(
        PlanIssue(
          .badDependencies, line: line, "task \(task.id) says twice on what it depends",
          hint: "say it in one place; the first is line \(first)"))
      return
    }
    section?.dependenciesLine = field?.line
    do throws(PlanMistake) {
      let room = PlanParser.dependencyLimit - dependencyCount
      let found = try PlanDependencyList.read(text, limit: room)
      dependencyCount += found.count
      var known = Set(task.dependencies)
      task.dependencies += found.filter { known.insert($0).inserted }
    } catch {
      issues.append(PlanIssue(.badDependencies, line: line, error.message, hint: error.hint))
    }
  }
}

/// What is wrong with a part of a line.
struct PlanMistake: Error {
  let message: String
  let hint: String

  init(_ message: String, hint: String) {
    self.message = message
    self.hint = hint
  }
}
