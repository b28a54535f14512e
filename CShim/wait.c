#include "conclave_wait.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int conclave_event_wait(conclave_event *event, uint32_t value, uint64_t deadline_ns) {
  struct timespec deadline = {
      .tv_sec = (time_t)(deadline_ns / 1000000000u),
      .tv_nsec = (long)(deadline_ns % 1000000000u),
  };
  /* FUTEX_WAIT_BITSET takes an absolute deadline, so that restarts after signals do not prolong it. */
  for (;;) {
    long result = syscall(SYS_futex, &event->word, FUTEX_WAIT_BITSET, value,
                          deadline_ns == UINT64_MAX ? NULL : &deadline, NULL,
                          FUTEX_BITSET_MATCH_ANY);
    if (result == 0 || errno == EAGAIN) return 0;
    if (errno != EINTR) return errno;
  }
}

void conclave_event_wake(conclave_event *event) {
  /* The work comes before the load that has found the bit, and that before all who prepare now. Who has not
   * looked for the bit must be ordered by something else (end_watch in park.c). */
  uint32_t bumped = atomic_fetch_add_explicit(&event->word, 2u, memory_order_relaxed) + 2u;
  syscall(SYS_futex, &event->word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  atomic_compare_exchange_strong_explicit(&event->word, &bumped, bumped & ~1u, memory_order_relaxed,
                                          memory_order_relaxed);
}

void conclave_word_wait(void *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void conclave_word_wake_one(void *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
