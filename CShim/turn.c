#include "conclave_turn.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "conclave_clock.h"

void conclave_turn_give(conclave_turn *turns, uint32_t turn) {
  atomic_store_explicit(&turns->sent_ns, conclave_monotonic_ns(), memory_order_relaxed);
  atomic_store_explicit(&turns->turn, turn, memory_order_release);
  syscall(SYS_futex, &turns->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
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
