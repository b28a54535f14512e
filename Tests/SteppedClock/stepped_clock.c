#include "stepped_clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 0
#elif __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || !defined(__GLIBC__)
#define STEPS 0
#else
#define STEPS 1
#endif

#if !STEPS

int stepped_clock_begin(void) { return ENOTSUP; }
uint64_t stepped_clock_steps(void) { return 0; }

#else

static const char *const VARIABLE = "CONCLAVE_TEST_CLOCK_STEPS";

enum { UNKNOWN, STEADY, STEPPED };
static _Atomic int mode;
static _Atomic int64_t last;
static _Atomic uint64_t steps;

uint64_t stepped_clock_steps(void) { return atomic_load(&steps); }

int stepped_clock_begin(void) {
  if (setenv(VARIABLE, "1", 1) != 0) return errno;
  atomic_store(&mode, STEPPED);
  return 0;
}

typedef int (*clock_function)(clockid_t, struct timespec *);

static clock_function real_clock(void) {
  static _Atomic(clock_function) found;
  clock_function function = atomic_load_explicit(&found, memory_order_relaxed);
  if (function) return function;
  /* As dlsym(3) has it: a data pointer does not convert to a function's. */
  void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
  memcpy(&function, &symbol, sizeof(function));
  atomic_store_explicit(&found, function, memory_order_relaxed);
  return function;
}

static int is_stepped(void) {
  int now = atomic_load_explicit(&mode, memory_order_relaxed);
  if (now == UNKNOWN) {
    now = getenv(VARIABLE) ? STEPPED : STEADY;
    atomic_store_explicit(&mode, now, memory_order_relaxed);
  }
  return now == STEPPED;
}

/* By how many seconds it is off just now: all processes agree, as they do about the real one. */
static int64_t shift(void) {
  static const int16_t shifts[8] = {0, -3600, 3600, -1, 60, -3600, 0, 3600};
  struct timespec now;
  real_clock()(CLOCK_MONOTONIC, &now);
  uint64_t tick = (uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000;
  int64_t seconds = shifts[tick * UINT64_C(0x9E3779B97F4A7C15) >> 61];
  if (atomic_exchange_explicit(&last, seconds, memory_order_relaxed) != seconds) {
    atomic_fetch_add_explicit(&steps, 1, memory_order_relaxed);
  }
  return seconds;
}

/* In the place of the C library's, for the whole program. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  int failure = real_clock()(clock, now);
  if (failure == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && is_stepped()) {
    now->tv_sec += shift();
  }
  return failure;
}

#endif
