/* The order ring: the one place where it is decided which record comes next for everybody.
 *
 * A slot is one 64-bit word:   lap (28 bits) | lane (8 bits) | granule (28 bits)
 *
 *   lap      (position >> log2(slot_count)) + 1, modulo 2^28; 0 in a slot that was never used.
 *            With 65,536 slots it wraps after 2^44 messages (13 days at 16 million/s): a publisher
 *            stopped before its swap could succeed with it later only if it woke exactly then, on
 *            that very slot, and the slot held the same lane and granule as well.
 *   granule  where in the lane the record begins, modulo 2^28. A lane advances by at most
 *            slot_count x 2 x record limit granules within a lap, which is at most 2^28 for every
 *            valid geometry, so it is unambiguous as long as the slot itself is still of this lap.
 *
 * Appending is one compare-and-swap from the slot's value of the previous lap. A slot is never
 * claimed but not filled, so nobody waits for anybody and there is nothing to repair.
 *
 * `tail` is a hint: at most the number of records, moved up now and then, never down.
 *
 * SYNC POINT publish: the swap (sequentially consistent) releases the record's bytes; a subscriber's
 * load of the slot (acquire) takes them.
 *
 * SYNC POINT order: whoever fills a slot has seen that all slots before it are filled, so that who sees it
 * (acquire) sees those: catch_up in receive.c, void_begin in publish.c and each look for the frontier go by
 * that. Who comes to the next position by a hint acquires the slot before it, or, where the hint is
 * nonsense, each that the search finds; from there on it goes slot by slot and sees each itself, for which
 * relaxed loads will do. The hint is only a hint.
 */
#ifndef CONCLAVE_ORDER_H
#define CONCLAVE_ORDER_H

#include "conclave_layout.h"

enum {
  CONCLAVE_GRANULE_BITS = 28,
  CONCLAVE_LANE_BITS = 8,
  CONCLAVE_LAP_BITS = 28,
  /* `tail` is moved at every so many positions. */
  CONCLAVE_TAIL_STRIDE = 16,
};

static const uint64_t CONCLAVE_GRANULE_MASK = 0xFFFFFFF;
static const uint64_t CONCLAVE_LANE_MASK = 0xFF;
static const uint64_t CONCLAVE_LAP_MASK = 0xFFFFFFF;

/* How a slot's lap compares with the lap of a position. */
typedef enum conclave_slot_age {
  CONCLAVE_SLOT_FREE = 0,     /* the previous lap: nothing there yet */
  CONCLAVE_SLOT_CURRENT = 1,  /* this lap: the record of this very position */
  CONCLAVE_SLOT_LATER = 2,    /* the position was overwritten */
  CONCLAVE_SLOT_EARLIER = 3,  /* the position is more than a lap ahead of the ring */
} conclave_slot_age;

static inline uint64_t conclave_lap(const conclave_view *view, uint64_t position) {
  return ((position >> view->slot_shift) + 1) & CONCLAVE_LAP_MASK;
}

static inline _Atomic uint64_t *conclave_slot_at(const conclave_view *view, uint64_t position) {
  return &view->slots[position & (view->geometry.slot_count - 1)];
}

static inline uint64_t conclave_slot_make(uint64_t lap, uint32_t lane, uint64_t granule) {
  return lap << (CONCLAVE_GRANULE_BITS + CONCLAVE_LANE_BITS) |
         (uint64_t)lane << CONCLAVE_GRANULE_BITS | (granule & CONCLAVE_GRANULE_MASK);
}

static inline uint32_t conclave_slot_lane(uint64_t slot) {
  return (uint32_t)(slot >> CONCLAVE_GRANULE_BITS & CONCLAVE_LANE_MASK);
}

static inline uint64_t conclave_slot_granule(uint64_t slot) { return slot & CONCLAVE_GRANULE_MASK; }

static inline conclave_slot_age conclave_slot_compare(const conclave_view *view, uint64_t slot,
                                                      uint64_t position) {
  uint64_t ahead = ((slot >> (CONCLAVE_GRANULE_BITS + CONCLAVE_LANE_BITS)) -
                    conclave_lap(view, position) + 1) & CONCLAVE_LAP_MASK;
  if (ahead == 1) return CONCLAVE_SLOT_CURRENT;
  if (ahead == 0) return CONCLAVE_SLOT_FREE;
  return ahead < CONCLAVE_LAP_MASK / 2 ? CONCLAVE_SLOT_LATER : CONCLAVE_SLOT_EARLIER;
}

/* Of all positions that slots cannot tell from `position`, since laps wrap, the one nearest to `hint`, if
 * that is believed. */
static inline uint64_t conclave_position_near(const conclave_view *view, uint64_t position,
                                              uint64_t hint) {
  uint64_t period = (CONCLAVE_LAP_MASK + 1) << view->slot_shift;
  uint64_t ahead = (position - hint) & (period - 1);
  uint64_t near = hint + ahead;
  int is_before = ahead > period / 2 && hint >= period - ahead;
  return is_before || near > CONCLAVE_BELIEVED ? near - period : near;
}

/* What `tail` says, or of all positions that slots cannot tell from it the first, when that is not
 * believed. */
static inline uint64_t conclave_tail_hint(const conclave_view *view) {
  uint64_t tail = atomic_load_explicit(view->tail, memory_order_relaxed);
  return tail <= CONCLAVE_BELIEVED ? tail : conclave_position_near(view, tail, 0);
}

/* What a lane's header says, or another granule that slots cannot tell from it, when that is not believed. */
static inline uint64_t conclave_granule_believed(uint64_t granule) {
  if (granule <= CONCLAVE_BELIEVED) return granule;
  return (granule & CONCLAVE_GRANULE_MASK) + CONCLAVE_GRANULE_MASK + 1;
}

/* Whether the position before this one has its record, so that taking this one leaves no hole: what a
 * position that comes from a hint must prove. Position 0 follows a slot that was never used.
 * SYNC POINT order. */
static inline int conclave_position_follows(const conclave_view *view, uint64_t position) {
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position - 1), memory_order_acquire);
  conclave_slot_age age = conclave_slot_compare(view, slot, position - 1);
  return age == CONCLAVE_SLOT_CURRENT || age == CONCLAVE_SLOT_LATER;
}

/* Moves `tail` up to `position`, never down. */
static inline void conclave_tail_raise(const conclave_view *view, uint64_t position) {
  uint64_t seen = atomic_load_explicit(view->tail, memory_order_relaxed);
  while (seen < position &&
         !atomic_compare_exchange_weak_explicit(view->tail, &seen, position, memory_order_relaxed,
                                                memory_order_relaxed)) {
  }
}

/* The first position that has no record yet, by way of the hint; the hint is not trusted: if it is
 * nonsense, the ring itself tells. O(distance from the hint), O(slot_count) when it is nonsense. */
uint64_t conclave_frontier(const conclave_view *view);

/* The first position without a record, as somebody at `position` counts. */
uint64_t conclave_frontier_near(const conclave_view *view, uint64_t position);

/* Whether one of the last slot_count positions refers to a record of `lane` that begins at `granule`
 * or later and before `end`. O(slot_count). */
int conclave_order_has(const conclave_view *view, uint32_t lane, uint64_t granule, uint64_t end);

#endif
