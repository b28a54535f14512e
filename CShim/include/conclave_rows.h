/* The subscriptions that publishers wait for.
 *
 * Joining: the row becomes active first, with positions that free nothing; then, behind a fence, the
 * subscriber reads how far each lane is published and where the ring stands, and starts there. A
 * publisher's swap comes before its reading of the rows, with such a fence between them. So either
 * the publisher sees the row, or the subscriber sees the publisher's record. (SYNC POINT join.)
 *
 * A row whose lock nobody holds belongs to a dead subscription; whoever waits for it releases it: at
 * once, or where the row says `keep_ns` only after that time, in which a successor may take it over
 * (conclave_subscriber_succeed) and miss nothing.
 */
#ifndef CONCLAVE_ROWS_H
#define CONCLAVE_ROWS_H

#include "conclave_layout.h"

/* What the slowest active row allows. */
typedef struct conclave_slowest {
  uint64_t value;      /* the least `consumed` or `cursor`; meaningless when `row` says none */
  uint64_t said;       /* the same as the row has it */
  uint64_t state;      /* of that row when it was read */
  uint64_t timeout_ns; /* of that row */
  uint32_t row;        /* CONCLAVE_NO_ROW: no row is active */
  uint32_t unused;
} conclave_slowest;

static const uint32_t CONCLAVE_NO_ROW = UINT32_MAX;

static inline int conclave_row_is_active(uint64_t state) { return (state & 1) != 0; }

/* The longest that a row says it is to be kept for a successor; a damaged one that says more would hold
 * its place, and publishers, for ever. A day. */
static const uint64_t CONCLAVE_KEEP_LIMIT_NS = UINT64_C(86400) * 1000000000;

/* How long the row is kept; 0: not at all. */
static inline uint64_t conclave_row_keep(const conclave_row *row) {
  uint64_t keep_ns = atomic_load_explicit(&row->keep_ns, memory_order_relaxed);
  return keep_ns <= CONCLAVE_KEEP_LIMIT_NS ? keep_ns : 0;
}

/* When the dead subscription of a row that is kept, whose state is `state`, was first seen dead, in
 * nanoseconds of the host's CLOCK_MONOTONIC (conclave_clock_shift_ns): now, unless the row says
 * earlier. The first who sees it writes it down for all, so that publishers none of which waits long
 * enough release the row together. A time that lies in the future, or belongs to an earlier owner, is not
 * believed; what a damaged row says can only end the wait for somebody who is dead. */
uint64_t conclave_row_orphaned(conclave_row *row, uint64_t state, uint64_t now);

/* The active row that has consumed least of `lane`. */
conclave_slowest conclave_slowest_in_lane(const conclave_view *view, uint32_t lane);

/* The active row whose cursor is least, as a publisher at `position` counts: where laps wrap, and where
 * the hint was damaged when one of them joined, they count differently, but by whole periods. */
conclave_slowest conclave_slowest_in_ring(const conclave_view *view, uint64_t position);

/* Deactivates the row if its subscription is dead: 1 if it did or somebody else had, else 0. */
int conclave_row_reap(const conclave_view *view, uint32_t row, uint64_t state);

/* Wakes every publisher that sleeps for room, whatever it waits for. */
void conclave_wake_publishers(const conclave_view *view);

#endif
