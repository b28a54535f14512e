/* Clocks. Why C: vDSO calls and the time-stamp counter without Swift's Duration arithmetic. */
#ifndef CONCLAVE_CLOCK_H
#define CONCLAVE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds: deadlines and durations. About 25 ns. */
static inline uint64_t conclave_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* How far the clock `name` (monotonic or boottime) of this process is ahead of the host's: a time namespace
 * (time_namespaces(7)) shifts it. What is written down for others is the host's time. Reads a file of
 * /proc; 0 where that does not say. */
int64_t conclave_clock_shift_ns(const char *name);

/* CLOCK_REALTIME in nanoseconds since the epoch: time stamps for people. About 25 ns. */
static inline uint64_t conclave_realtime_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* CLOCK_REALTIME for time stamps on a hot path: between two looks at the real clock, at most about a
 * millisecond apart, it counts the processor's time-stamp counter, at the rate that it had between the
 * last two looks. About 11 ns instead of 25. Off by less than a microsecond; a step of the clock shows
 * within a millisecond. Where there is no invariant counter it is the real clock.
 * One thread at a time. Zero-initialised is ready. */
typedef struct conclave_stamp_clock {
  uint64_t base_ticks;
  uint64_t base_ns;
  uint64_t span_ticks;   /* how long the base may be used; 0: look at the real clock each time */
  uint64_t ns_per_tick;  /* 32.32 fixed point */
} conclave_stamp_clock;

static inline uint64_t conclave_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

/* Looks at the real clock and measures the counter's rate. */
uint64_t conclave_stamp_clock_sync(conclave_stamp_clock *clock);

static inline uint64_t conclave_stamp_clock_now(conclave_stamp_clock *clock) {
  uint64_t elapsed = conclave_ticks() - clock->base_ticks;
  /* Also true when the counter went backwards (another processor, another host). */
  if (__builtin_expect(elapsed >= clock->span_ticks, 0)) return conclave_stamp_clock_sync(clock);
  return clock->base_ns + (elapsed * clock->ns_per_tick >> 32);
}

#endif
