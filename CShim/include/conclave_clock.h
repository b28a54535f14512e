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

/* CLOCK_REALTIME in nanoseconds since the epoch: time stamps for people. About 25 ns. */
static inline uint64_t conclave_realtime_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
