#include "conclave_signal.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void add_unless_ignored(sigset_t *set, int signal) {
  struct sigaction action;
  if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN) return;
  sigaddset(set, signal);
}

int conclave_signals_open(void) {
  sigset_t set;
  sigemptyset(&set);
  add_unless_ignored(&set, SIGINT);
  add_unless_ignored(&set, SIGTERM);
  add_unless_ignored(&set, SIGHUP);
  int descriptor = signalfd(-1, &set, SFD_CLOEXEC);
  if (descriptor < 0) return -errno;
  int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (failure) {
    close(descriptor);
    return -failure;
  }
  return descriptor;
}

int conclave_signals_read(int descriptor) {
  struct signalfd_siginfo information;
  ssize_t count;
  do count = read(descriptor, &information, sizeof information);
  while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  return (int)information.ssi_signo;
}
