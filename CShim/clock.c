#include "conclave_clock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Between looks at the real clock: long enough to be cheap, short enough to follow it. */
static const uint64_t SYNC_NS = 1000000;
/* Looks further apart than this say nothing about the counter's rate now (suspend, migration). */
static const uint64_t RATE_LIMIT_NS = 100000000;

int64_t conclave_clock_shift_ns(const char *name) {
  char text[256];
  int descriptor = open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  ssize_t count = read(descriptor, text, sizeof(text) - 1);
  close(descriptor);
  text[count > 0 ? count : 0] = 0;
  const char *line = strstr(text, name);
  long long seconds, nanoseconds;
  if (!line || sscanf(line + strlen(name), "%lld %lld", &seconds, &nanoseconds) != 2) return 0;
  /* The kernel takes offsets up to about 146 years; more is nothing that it has said. */
  const long long limit = 5000000000;
  if (seconds > limit || seconds < -limit) return 0;
  return seconds * 1000000000 + nanoseconds;
}

static int counter_is_invariant(void) {
#if defined(__x86_64__)
  /* Asked once: a virtual machine's monitor answers cpuid, which takes microseconds. */
  static _Atomic int answer = -1;
  int known = atomic_load_explicit(&answer, memory_order_relaxed);
  if (known < 0) {
    unsigned a, b, c, d;
    known = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
    atomic_store_explicit(&answer, known, memory_order_relaxed);
  }
  return known;
#elif defined(__aarch64__)
  return 1;
#else
  return 0;
#endif
}

uint64_t conclave_stamp_clock_sync(conclave_stamp_clock *clock) {
  uint64_t ticks = conclave_ticks();
  uint64_t now = conclave_realtime_ns();
  uint64_t elapsed_ns = now - clock->base_ns;
  uint64_t elapsed_ticks = ticks - clock->base_ticks;
  clock->span_ticks = 0;
  /* A look too soon after the last one would measure the rate badly: keep the older base for that. */
  if (clock->base_ns != 0 && elapsed_ns < SYNC_NS / 2) {
    return now;
  }
  if (clock->base_ns != 0 && elapsed_ns < RATE_LIMIT_NS && elapsed_ticks > elapsed_ns / 1000 &&
      elapsed_ticks < elapsed_ns * 16 && counter_is_invariant()) {
    clock->ns_per_tick = (elapsed_ns << 32) / elapsed_ticks;
    clock->span_ticks = (SYNC_NS << 32) / (clock->ns_per_tick ? clock->ns_per_tick : 1);
    /* elapsed x rate must fit into 64 bits: one span is 2^20 ns, far below 2^32. */
  }
  clock->base_ns = now;
  clock->base_ticks = ticks;
  return now;
}
