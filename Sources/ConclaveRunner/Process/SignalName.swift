import Glibc

/// `SIGKILL` for 9; `signal 35` for what has no name here.
func signalName(_ number: Int32) -> String {
  switch number {
  case SIGHUP: "SIGHUP"
  case SIGINT: "SIGINT"
  case SIGQUIT: "SIGQUIT"
  case SIGILL: "SIGILL"
  case SIGTRAP: "SIGTRAP"
  case SIGABRT: "SIGABRT"
  case SIGBUS: "SIGBUS"
  case SIGFPE: "SIGFPE"
  case SIGKILL: "SIGKILL"
  case SIGSEGV: "SIGSEGV"
  case SIGPIPE: "SIGPIPE"
  case SIGALRM: "SIGALRM"
  case SIGTERM: "SIGTERM"
  case SIGXCPU: "SIGXCPU"
  case SIGXFSZ: "SIGXFSZ"
  default: "signal \(number)"
  }
}
