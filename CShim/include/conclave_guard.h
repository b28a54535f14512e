/* What becomes of a mapping whose file is cut off (truncate), or has no memory behind a page: instead of
 * dying of SIGBUS whoever touches it goes on with zeros, and is told that the segment is lost.
 *
 * The handler puts private memory in the place of the whole mapping at once, so that nobody goes on half with
 * the others and half alone, and lets the instruction run again: the hot path pays nothing. What was read
 * just then is not to be believed: look at conclave_guard_is_lost before it is handed on. In the memory that
 * takes the place nothing is published; each lane says that all was overwritten, so that a copy that was
 * under way is judged to be gone; and the order's hint is far ahead, so that a publisher looks.
 *
 * The handler is installed with the first mapping, and again if somebody has taken it away altogether. Other
 * SIGBUS go to whoever handled them before. Who installs a handler later must pass on what is not its own.
 *
 * Why C: it runs in a signal handler, where Swift must not.
 */
#ifndef CONCLAVE_GUARD_H
#define CONCLAVE_GUARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct conclave_guard {
  _Atomic uintptr_t base; /* 0: not in use */
  _Atomic uint32_t lost;
  uint32_t lane_count;
  uint64_t bytes;
  uint64_t tail; /* where it lies, in bytes */
  uint64_t lane_headers; /* where they begin, likewise */
  uint64_t process_generation; /* of the process whose mapping it is */
  struct conclave_guard *next;
} conclave_guard;

/* Guards a mapping of `bytes` bytes at `base`. NULL: no memory. From any thread. */
conclave_guard *conclave_guard_begin(void *base, uint64_t bytes, uint64_t tail,
                                     uint64_t lane_headers, uint32_t lane_count);

/* Before the mapping is unmapped. */
void conclave_guard_end(conclave_guard *guard);

/* Whether private memory has taken the mapping's place: 1 or 0. Never 0 again once it was 1. */
static inline int conclave_guard_is_lost(const conclave_guard *guard) {
  return (int)atomic_load_explicit(&guard->lost, memory_order_relaxed);
}

#endif
