#include "conclave_turn.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "conclave_clock.h"

void conclave_turn_give(conclave_turn *turns, uint32_t turn) {
  atomic_store_explicit(&turns->sent_ns, conclave_monotonic_ns(), memory_order_relaxed);
  atomic_store_explicit(&turns->turn, turn, memory_order_release);
  syscall(SYS_futex, &turns->turn, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void conclave_turn_join(conclave_turn *turns, uint32_t parties) {
  if (atomic_fetch_add_explicit(&turns->joined, 1, memory_order_acq_rel) + 1 < parties) return;
  atomic_store_explicit(&turns->joined, 0, memory_order_relaxed);
  conclave_turn_give(turns, atomic_load_explicit(&turns->turn, memory_order_relaxed) + 1);
}

int conclave_turn_await(conclave_turn *turns, uint32_t turn, uint64_t limit_ns) {
  const struct timespec limit = {
      .tv_sec = (time_t)(limit_ns / 1000000000u),
      .tv_nsec = (long)(limit_ns % 1000000000u),
  };
  for (;;) {
    uint32_t seen = atomic_load_explicit(&turns->turn, memory_order_acquire);
    if (seen == turn) return 0;
    long result = syscall(SYS_futex, &turns->turn, FUTEX_WAIT, seen, &limit, NULL, 0);
    if (result != 0 && errno == ETIMEDOUT) return ETIMEDOUT;
  }
}
