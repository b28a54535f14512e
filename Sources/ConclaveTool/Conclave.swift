import CShim
import ConclaveBus
import Glibc

/// The tool: finds the command that is meant, runs it, and reports how it ended.
package enum Conclave {
  static let version = "0.1.0"
  /// The layout of the shared-memory segments that this build makes and reads.
  static let segmentLayoutVersion = CONCLAVE_LAYOUT_VERSION

  /// Runs the command line of this process; returns its exit code.
  package static func main() -> Int32 { run().rawValue }

  /// Whoever closed standard input, output or error left a hole that the next file to be opened
  /// would fill, and what is said there would land in it. Read-only, so that saying something is an
  /// error.
  private static func occupyStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // The lowest free number, which is this one.
      _ = unsafe open("/dev/null", O_RDONLY)
    }
  }

  private static func run() -> ExitCode {
    // A closed pipe must come back as EPIPE, so that a subscription can end in order; 141 then says
    // what the signal would have said.
    _ = signal(SIGPIPE, SIG_IGN)
    // Likewise a file that has become as large as RLIMIT_FSIZE lets it: write(2) says so.
    _ = signal(SIGXFSZ, SIG_IGN)
    occupyStandardDescriptors()
    let arguments: [String]
    do throws(ToolError) {
      arguments = try commandLineArguments()
    } catch {
      Notes(json: false).report(error)
      return error.exit
    }
    let console = Console(json: arguments.prefix { $0 != "--" }.contains("--json"))
    do {
      let exit = try run(arguments, console)
      try console.output.flush()
      return exit
    } catch is OutputClosed {
      return .outputClosed
    } catch {
      let error = ToolError(any: error)
      // What was said before the error still counts.
      try? console.output.flush()
      console.notes.report(error)
      return error.exit
    }
  }

  private static func run(_ arguments: [String], _ console: Console) throws -> ExitCode {
    switch try Menu.choose(arguments) {
    case .text(let text):
      try console.output.write(text)
      return .success
    case .command(let command, let rest):
      let arguments = try ArgumentParser.parse(rest, by: command.usage)
      if arguments.has(.help) {
        try console.output.write(helpText(command.usage))
        return .success
      }
      return try command.run(arguments, console)
    }
  }

  /// The arguments without the program's name. Swift's own `CommandLine.arguments` repairs invalid
  /// UTF-8; a payload must be refused instead of changed.
  private static func commandLineArguments() throws(ToolError) -> [String] {
    var arguments: [String] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = unsafe CommandLine.unsafeArgv[index] else { break }
      guard let text = unsafe String(validatingCString: bytes) else {
        throw usageError("argument \(index) is not valid UTF-8", hint: "write it in UTF-8")
      }
      arguments.append(text)
    }
    return arguments
  }
}
