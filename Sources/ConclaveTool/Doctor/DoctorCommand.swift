import ConclaveBus

/// `conclave doctor`: what is wrong with this host or this bus, and what to do about it.
enum DoctorCommand: Command {
  private static let fix = Option("fix", "remove what is left over and nobody can use any more")

  static let usage = Usage(
    "doctor", "look for what is wrong on this host or with this bus",
    details: """
      Looks at shared memory, limits and the disk, sends one message through a bus of
      its own, and looks at the bus of this directory and at the segments of this user;
      in a git repository also at what parallel-run and ralph-run have left there: runs
      and loops that were killed and can be resumed, processes that they have left, and
      worktrees, locks and a half-finished move of the branch. Each finding says what
      to do.

      With --fix it removes segments whose bus directory is gone and whose messages are
      in files, archives what dead sessions have left, and ends and clears what the next
      run would; nothing that is in use, no message that is nowhere else, no work of a
      run that can be resumed, and nothing of yours.

      Ends with 0 when all is well, with 1 when there is something to look after, and
      with 6 when something does not work.
      """,
    options: [fix] + Option.place,
    examples: [
      Example("why does it not work?", "conclave doctor"),
      Example(
        "what is wrong, for a script",
        "conclave doctor --json | jq -r '.findings[] | select(.severity == \"error\").message'"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let location = try arguments.busLocation()
    let findings =
      HostChecks.run() + RunChecks.run() + BusChecks(location: location).run()
      + SegmentChecks.run()
    var report = DoctorReport()
    for finding in findings {
      guard arguments.has(fix), let cure = finding.cure else {
        report.add(finding, fixed: nil)
        continue
      }
      do { report.add(finding, fixed: try cure()) } catch {
        // The others can be looked after all the same.
        report.add(finding.failing(ToolError(any: error)), fixed: nil)
      }
    }
    try console.output.write(console.json ? report.json.text + "\n" : report.text)
    return report.exit
  }
}
