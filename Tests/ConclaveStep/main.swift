import Glibc

let words = Array(CommandLine.arguments.dropFirst())
exit(StepCommand.main(words))
