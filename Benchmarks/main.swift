import Glibc

exit(BenchmarkCommand.main(Array(CommandLine.arguments.dropFirst())))
