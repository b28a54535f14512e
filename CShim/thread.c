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

int conclave_thread_start(void (*body)(void)) {
  pthread_attr_t attributes;
  int failure = pthread_attr_init(&attributes);
  if (failure) return failure;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all, before;
  sigfillset(&all);
  /* The thread inherits the mask: signals go to the embedder's own threads. */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  failure = pthread_create(&thread, &attributes, run, *(void **)&body);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failure;
}
