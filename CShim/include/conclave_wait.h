/* Sleeping and waking: an event count on one 32-bit word that processes share.
 *
 * The word:  bit 0      somebody may be asleep
 *            bits 1-31  a count; only its inequality matters, so it may wrap
 *
 * Who waits:  value = prepare(event)    sets bit 0 and changes the count, one compare-and-swap
 *             look once more            if there is work, just do not wait
 *             wait(event, value, ...)   FUTEX_WAIT on the value that prepare wrote
 *
 * Who has made work:  signal(event)     one load; only when bit 0 is set, three steps:
 *             bump    the count, leaving the bit, so that whoever looks between here and the wake
 *                     finds another value and does not sleep
 *             wake    all
 *             clear   the bit by compare-and-swap, only if the word is still what the bump left, so
 *                     that a sleeper who has just parked again is not forgotten
 *
 * A signaller that dies after any step leaves the bit set, and the next signal wakes again. What
 * remains is death between making the work and the bump; so of those who wait across processes
 * somebody looks again after CONCLAVE_WAIT_LIMIT_NS: each publisher that waits for room, and one of the
 * subscribers that wait for records (park.c).
 *
 * SYNC POINT sleep: the store that makes work (by the caller, sequentially consistent) comes before
 * the load in signal; the swap in prepare comes before the caller's second look. All four are
 * sequentially consistent: on each side a store must not pass a load.
 *
 * Why C: Swift cannot make the futex system call, and its atomics cannot live in foreign memory
 * without unsafe pointers at each use.
 */
#ifndef CONCLAVE_WAIT_H
#define CONCLAVE_WAIT_H

#include <stdatomic.h>
#include <stdint.h>

/* How long work may lie there of which nobody was told, in nanoseconds: 20 ms, less what the kernel takes to
 * wake who looks. */
static const uint64_t CONCLAVE_WAIT_LIMIT_NS = 19000000;

/* One cache line, so that sleepers on one event do not slow those on another. */
typedef struct conclave_event {
  _Atomic uint32_t word;
  uint8_t unused[60];
} conclave_event;

_Static_assert(sizeof(conclave_event) == 64, "an event fills a cache line");

/* Makes `event` usable. Not needed in memory that is zero. */
static inline void conclave_event_init(conclave_event *event) {
  atomic_init(&event->word, 0);
}

/* Announces a sleeper. Returns the value to wait on. */
static inline uint32_t conclave_event_prepare(conclave_event *event) {
  uint32_t seen = atomic_load_explicit(&event->word, memory_order_relaxed);
  uint32_t wanted;
  do {
    wanted = (seen + 2u) | 1u;
  } while (!atomic_compare_exchange_weak_explicit(&event->word, &seen, wanted, memory_order_seq_cst,
                                                  memory_order_relaxed));
  return wanted;
}

/* Sleeps while the word is `value`, at most until `deadline_ns` (absolute CLOCK_MONOTONIC
 * nanoseconds; UINT64_MAX for no deadline). Restarts after signals.
 * Returns 0 when woken or when the word had changed, ETIMEDOUT at the deadline. */
int conclave_event_wait(conclave_event *event, uint32_t value, uint64_t deadline_ns);

/* The three steps of waking; see above. */
void conclave_event_wake(conclave_event *event);

/* Wakes whoever sleeps or has announced that it will. One load when nobody has. */
static inline void conclave_event_signal(conclave_event *event) {
  if (__builtin_expect(atomic_load_explicit(&event->word, memory_order_seq_cst) & 1u, 0)) {
    conclave_event_wake(event);
  }
}

/* Sleeps while the 32-bit word at `word`, which only this process uses, is `value`. May return early. */
void conclave_word_wait(void *word, uint32_t value);

/* Wakes one sleeper of conclave_word_wait. */
void conclave_word_wake_one(void *word);

#endif
