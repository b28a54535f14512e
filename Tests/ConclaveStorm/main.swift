import ConclaveTool
import Glibc

// The kill storm over a mirrored bus: `conclave-storm --kills 10000`, and that over runs of plans:
// `conclave-storm --fleet 1000`.
signal(SIGPIPE, SIG_IGN)
let words = Array(CommandLine.arguments.dropFirst())
let rest = Array(words.dropFirst())
// Options begin with a dash; this is a process of a storm.
if let word = words.first, !word.hasPrefix("-") { StormDefect.plant() }
switch words.first {
case StormWorker.word: exit(StormWorker.main(rest))
case StormSubscriber.word: exit(StormSubscriber.main(rest))
case StormMember.word: exit(StormMember.main(rest))
case SweepWorker.word: exit(SweepWorker.main(rest))
case SessionWorker.word: exit(SessionWorker.main(rest))
// What a storm over runs of plans kills is the command itself.
case "parallel-run", "ralph-run", "doctor": exit(Conclave.main())
case CutWorker.word: exit(CutWorker.main(rest))
default: exit(await StormCommand.main(words))
}
