#include "conclave_pace.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

void conclave_pace_precisely(void) {
  prctl(PR_SET_TIMERSLACK, 1L, 0L, 0L, 0L);
}

void conclave_pace_until(uint64_t deadline_ns) {
  struct timespec deadline = {
      .tv_sec = (time_t)(deadline_ns / 1000000000u),
      .tv_nsec = (long)(deadline_ns % 1000000000u),
  };
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {
  }
}
