import BusTesting
import Foundation
import Testing

/// The transports whose commands must behave alike.
let transports = ["file", "shm", "mirror"]

/// How the command ended and what it said.
struct Outcome: Equatable {
  var exit: Int32
  var output: String
  var errors: String
}

/// The built command as a real process, with a clean environment.
final class Tool {
  /// The products lie next to the test bundle.
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("conclave").path

  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL
  private let inputPipe = Pipe()
  private var isToldToEnd = false

  /// Starts the command; its standard input stays open until ``finish()``.
  init(_ arguments: [String], in directory: URL, environment: [String: String] = [:]) throws {
    let files = FileManager.default.temporaryDirectory
    let name = "conclave-\(UUID().uuidString)"
    outputFile = files.appendingPathComponent("\(name).out")
    errorFile = files.appendingPathComponent("\(name).err")
    catchIgnoredSignals()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.environment = environment
    process.standardInput = inputPipe
    process.standardOutput = try Tool.emptyFile(outputFile)
    process.standardError = try Tool.emptyFile(errorFile)
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: outputFile)
    try? FileManager.default.removeItem(at: errorFile)
  }

  /// Runs the command from start to end.
  static func run(
    _ arguments: [String], in directory: URL, environment: [String: String] = [:],
    input: String = ""
  ) throws -> Outcome {
    let tool = try Tool(arguments, in: directory, environment: environment)
    if !input.isEmpty { try tool.type(input) }
    return try tool.finish()
  }

  /// Runs a line of shell, in which `conclave` is the command.
  static func shell(_ line: String, in directory: URL) throws -> Outcome {
    let tool = Process()
    let output = Pipe()
    let errors = Pipe()
    tool.executableURL = URL(fileURLWithPath: "/bin/sh")
    tool.arguments = ["-c", "conclave() { '\(path)' \"$@\"; }\n\(line)"]
    tool.currentDirectoryURL = directory
    tool.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    tool.standardOutput = output
    tool.standardError = errors
    try tool.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let notes = errors.fileHandleForReading.readDataToEndOfFile()
    tool.waitUntilExit()
    return Outcome(
      exit: tool.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: notes, as: UTF8.self))
  }

  func type(_ text: String) throws {
    try inputPipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
  }

  /// What it has written to standard output so far.
  var output: String { get throws { try String(contentsOf: outputFile, encoding: .utf8) } }
  var errors: String { get throws { try String(contentsOf: errorFile, encoding: .utf8) } }

  /// Waits until it has written `lines` lines.
  func waitForOutput(lines: Int) throws {
    try eventually { try output.split(separator: "\n").count >= lines }
  }

  var pid: Int32 { process.processIdentifier }

  func send(_ signal: Int32) {
    if [SIGINT, SIGTERM, SIGHUP, SIGKILL].contains(signal) { isToldToEnd = true }
    // Its number may be another process's by now.
    if process.isRunning { kill(process.processIdentifier, signal) }
  }

  /// Closes its input, unless a signal is to end it, and waits for its end. A process that a signal
  /// killed has minus the signal as its exit code, unlike one that ended by itself.
  func finish() throws -> Outcome {
    // Whoever reads its input might else end for either reason.
    if !isToldToEnd { try? inputPipe.fileHandleForWriting.close() }
    return try finishWithoutClosingInput()
  }

  /// Waits for its end, whose reason is not the end of its input.
  func finishWithoutClosingInput() throws -> Outcome {
    process.waitUntilExit()
    let code = process.terminationStatus
    let exit = process.terminationReason == .exit ? code : -code
    return Outcome(exit: exit, output: try output, errors: try errors)
  }

  private static func emptyFile(_ url: URL) throws -> FileHandle {
    try Data().write(to: url)
    return try FileHandle(forWritingTo: url)
  }
}

/// Waits until `condition` holds; fails the test when it does not within ten minutes, since the
/// machine may have much else to do.
func eventually(
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) throws {
  for _ in 0..<120_000 {
    if try condition() { return }
    usleep(5000)
  }
  Issue.record("it did not happen within ten minutes", sourceLocation: sourceLocation)
}

/// Runs `body` with a new, empty directory, outside of every git repository.
func withDirectory(_ body: (URL) throws -> Void) throws {
  let directory = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    .appendingPathComponent("conclave-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer {
    try? FileManager.default.removeItem(at: directory)
    removeSegments(leftBy: directory.path)
  }
  try body(directory)
}
