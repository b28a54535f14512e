/* Processes that take turns with nothing but a futex between them: the least that a wake-up
 * across processes can cost. Benchmarks compare the bus with it; the bus itself does not use it.
 *
 * Why C: Swift cannot make the futex system call.
 */
#ifndef CONCLAVE_TURN_H
#define CONCLAVE_TURN_H

#include <stdatomic.h>
#include <stdint.h>

/* In shared memory; zero-initialised is ready. */
typedef struct conclave_turn {
  _Atomic uint64_t sent_ns; /* when the turn was given (CLOCK_MONOTONIC) */
  _Atomic uint32_t turn;
  _Atomic uint32_t joined;
} conclave_turn;

_Static_assert(sizeof(conclave_turn) == 16, "shared");

/* Gives the turn number `turn`, and wakes who waits for it: a store and a system call. */
void conclave_turn_give(conclave_turn *turns, uint32_t turn);

/* The last of `parties` who come gives the next turn. */
void conclave_turn_join(conclave_turn *turns, uint32_t parties);

/* Sleeps until the turn is `turn`. Returns 0, or ETIMEDOUT after `limit_ns` without a change. */
int conclave_turn_await(conclave_turn *turns, uint32_t turn, uint64_t limit_ns);

/* When the last turn was given. */
static inline uint64_t conclave_turn_sent(const conclave_turn *turns) {
  return atomic_load_explicit(&turns->sent_ns, memory_order_relaxed);
}

#endif
