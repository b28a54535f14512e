import Glibc

let words = Array(CommandLine.arguments.dropFirst())
// What it starts: a process whose mirror is stepped.
if words.first == StepWorker.word { exit(StepWorker.main(Array(words.dropFirst()))) }
exit(StepCommand.main(words))
