import Glibc

// The kill storm over a mirrored bus: `conclave-storm --kills 10000`.
signal(SIGPIPE, SIG_IGN)
let words = Array(CommandLine.arguments.dropFirst())
if words.first == StormWorker.word {
  exit(StormWorker.main(Array(words.dropFirst())))
}
if words.first == SweepWorker.word {
  exit(SweepWorker.main(Array(words.dropFirst())))
}
if words.first == CutWorker.word {
  exit(CutWorker.main(Array(words.dropFirst())))
}
exit(await StormCommand.main(words))
