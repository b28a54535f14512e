#include "conclave_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static void *run(void *argument) {
  void (*body)(void);
  *(void **)&body = argument;
  body();
  return NULL;
}

/* All but those by which an instruction says that it has failed: of these the kernel ends a process that
 * blocks them, whatever handler it has (signal(7)). */
static sigset_t mask(void) {
  static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
  sigset_t all;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) sigdelset(&all, own[i]);
  return all;
}

int conclave_thread_start(void (*body)(void)) {
  pthread_attr_t attributes;
  int failure = pthread_attr_init(&attributes);
  if (failure) return failure;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all = mask(), before;
  /* The thread inherits the mask: signals go to the embedder's own threads. */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  failure = pthread_create(&thread, &attributes, run, *(void **)&body);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failure;
}
