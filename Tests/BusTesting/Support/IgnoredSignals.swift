import Glibc

/// Keeps the commands that tests start from ignoring what this process was told to ignore, as it is
/// under `nohup` and in the background of a script: a signal that is caught, if only to do nothing,
/// is not ignored behind an exec.
public func catchIgnoredSignals() { caught }

private let caught: Void = {
  for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0, isIgnored(action) else { continue }
    signal(number) { _ in }
  }
}()

private func isIgnored(_ action: sigaction) -> Bool {
  // SIG_IGN, which Swift cannot compare with a function.
  unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
}
