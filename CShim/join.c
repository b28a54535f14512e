/* Joining and leaving: rows, and the lock of those who only read. */
#include "conclave_receive.h"

#include <errno.h>
#include <stdlib.h>

#include "conclave_liveness.h"
#include "conclave_rows.h"
#include "conclave_segment.h"

/* Not more than is believed. */
static void store_keep(conclave_row *row, uint64_t keep_ns) {
  uint64_t believed = keep_ns < CONCLAVE_KEEP_LIMIT_NS ? keep_ns : CONCLAVE_KEEP_LIMIT_NS;
  atomic_store_explicit(&row->keep_ns, believed, memory_order_relaxed);
}

/* Whether the row is kept for a successor of its dead subscription. The row's lock, or the mirror's, has
 * brought both words to who goes by that; to others it is a guess, which relaxed loads will do for. */
static int is_kept(const conclave_row *row) {
  return conclave_row_is_active(atomic_load_explicit(&row->state, memory_order_relaxed)) &&
         conclave_row_keep(row) != 0;
}

/* Takes the lock of a row. One that a dead subscription left active is only for those who will hold
 * publishers back themselves: a dropping subscription cannot write the row, and holding its lock would
 * make the dead look alive. */
static int claim_row(const conclave_view *view, int even_active, uint32_t *claimed) {
  for (uint32_t row = 0; row < view->geometry.row_count; row++) {
    uint64_t state = atomic_load_explicit(&conclave_row_at(view, row)->state, memory_order_relaxed);
    if (!even_active && conclave_row_is_active(state)) continue;
    if (is_kept(conclave_row_at(view, row))) continue;
    int failure = conclave_lock_try(view->descriptor, CONCLAVE_LOCK_ROWS + row, 1);
    if (failure == EAGAIN) continue;
    /* Somebody may have come and died since the look. */
    if (!failure && is_kept(conclave_row_at(view, row))) {
      conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + row, 1);
      continue;
    }
    *claimed = row;
    return failure;
  }
  return EAGAIN;
}

/* Takes a row for a dropping subscription though the dead have left all that are free active: it opens
 * the row for once to deactivate it. */
static int claim_dead_row(const conclave_view *view, uint32_t *claimed) {
  int failure = claim_row(view, 1, claimed);
  if (failure) return failure;
  failure = conclave_row_open(view, *claimed);
  if (failure) {
    conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + *claimed, 1);
    return failure;
  }
  atomic_fetch_and_explicit(&conclave_row_at(view, *claimed)->state, ~UINT64_C(1),
                            memory_order_seq_cst);
  conclave_wake_publishers(view);
  return 0;
}

/* Reads up to `position` without looking: what lies there was consumed, but the row may not say so of all
 * lanes. Where it does the record may be overwritten and seem damaged, which does not matter. */
static void pass_over(conclave_subscriber *subscriber, uint64_t position) {
  conclave_record record;
  while (subscriber->position < position) {
    conclave_outcome outcome = conclave_receive(subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) return;
    if (outcome == CONCLAVE_RECORD) conclave_release(subscriber);
  }
}

/* Becomes visible to publishers before it reads where it begins: SYNC POINT join.
 *
 * Publishers go on meanwhile. What they publish after the look at their lane and before the last look at
 * the ring lies before the first position that is received, and in the way of its publisher: it is passed
 * over. What is not to be seen yet, since its publisher is between the swap and `published`, or is found
 * damaged, is given back when there is nothing to read. */
static void activate(conclave_subscriber *subscriber, const conclave_subscription *options) {
  const conclave_view *view = &subscriber->view;
  conclave_row *row = subscriber->row;
  uint64_t before = atomic_load_explicit(&row->state, memory_order_relaxed);
  atomic_store_explicit(&row->cursor, 0, memory_order_relaxed);
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    atomic_store_explicit(&row->consumed[lane], 0, memory_order_relaxed);
  }
  atomic_store_explicit(&row->timeout_ns, options->timeout_ns, memory_order_relaxed);
  store_keep(row, options->keep_ns);
  atomic_store_explicit(&row->state, ((before >> 1) + 1) << 1 | 1, memory_order_release);
  atomic_thread_fence(memory_order_seq_cst); /* SYNC POINT join */
  subscriber->position = subscriber->flushed_position = conclave_frontier(view);
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    uint64_t published = conclave_granule_believed(atomic_load_explicit(
        &conclave_lane_header_at(view, lane)->published, memory_order_acquire));
    subscriber->consumed[lane] = subscriber->flushed[lane] = published;
    atomic_store_explicit(&row->consumed[lane], published, memory_order_seq_cst); /* SYNC POINT room */
  }
  pass_over(subscriber, conclave_frontier_near(view, subscriber->position));
  subscriber->doubtful = 1;
  conclave_flush_position(subscriber);
  conclave_wake_publishers(view);
}

static void announce(const conclave_subscriber *subscriber,
                     const conclave_subscription *options) {
  conclave_presence *presence = &subscriber->view.presences[subscriber->row_index];
  uint32_t label_bytes =
      options->label_bytes < CONCLAVE_LABEL_BYTES ? options->label_bytes : CONCLAVE_LABEL_BYTES;
  atomic_store_explicit(&presence->label_bytes, 0, memory_order_relaxed);
  conclave_copy_in(presence->label, options->label, label_bytes);
  atomic_store_explicit(&presence->label_bytes, label_bytes, memory_order_release);
  atomic_store_explicit(&presence->lost, 0, memory_order_relaxed);
  atomic_store_explicit(&presence->cursor, subscriber->position, memory_order_relaxed);
  atomic_store_explicit(&presence->back_pressure, (uint32_t)options->back_pressure,
                        memory_order_relaxed);
  atomic_store_explicit(&presence->pid, options->pid, memory_order_relaxed);
}

/* What its lanes' `reused` say, before the first look at the ring. SYNC POINT reuse: who knows that a lane's
 * void is in use (take_over) must see the slots that made it void. */
static void read_reused(conclave_subscriber *subscriber) {
  const conclave_view *view = &subscriber->view;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    subscriber->reused[lane] = atomic_load_explicit(&conclave_lane_header_at(view, lane)->reused,
                                                    memory_order_acquire);
  }
}

int conclave_subscriber_observe(conclave_subscriber *subscriber, conclave_view *view) {
  int failure = conclave_lock_share(view->descriptor, CONCLAVE_LOCK_READERS, 1);
  if (failure) return failure;
  *subscriber = (conclave_subscriber){.view = *view, .row_index = CONCLAVE_NO_ROW};
  read_reused(subscriber);
  subscriber->scratch = malloc(view->record_limit);
  if (!subscriber->scratch) {
    conclave_lock_release(view->descriptor, CONCLAVE_LOCK_READERS, 1);
    return ENOMEM;
  }
  subscriber->position = conclave_frontier(view);
  return 0;
}

int conclave_subscriber_join(conclave_subscriber *subscriber, conclave_view *view,
                             const conclave_subscription *options) {
  uint32_t index = 0;
  int failure = claim_row(view, options->back_pressure, &index);
  if (failure == EAGAIN && !options->back_pressure) failure = claim_dead_row(view, &index);
  if (failure) return failure;
  *subscriber = (conclave_subscriber){
      .view = *view, .row_index = index, .holds = options->keep_ns != 0};
  read_reused(subscriber);
  if (options->back_pressure) {
    failure = conclave_row_open(view, index);
  } else {
    subscriber->scratch = malloc(view->record_limit);
    if (!subscriber->scratch) failure = ENOMEM;
  }
  if (failure) {
    conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + index, 1);
    return failure;
  }
  if (options->back_pressure) {
    subscriber->row = conclave_row_at(view, index);
    activate(subscriber, options);
  } else {
    subscriber->position = conclave_frontier(view);
  }
  announce(subscriber, options);
  return 0;
}

/* Makes the dead subscription's row `subscriber`'s own, with all that it says. The row's lock has brought
 * that, so relaxed will do. The compare-and-swap loses against a publisher that releases the row just now:
 * for that it is enough that it is one step. */
static int inherit(conclave_subscriber *subscriber, const conclave_subscription *options,
                   uint64_t least) {
  const conclave_view *view = &subscriber->view;
  conclave_row *row = subscriber->row;
  uint64_t state = atomic_load_explicit(&row->state, memory_order_relaxed);
  if (!conclave_row_is_active(state) || conclave_row_keep(row) == 0 ||
      !atomic_compare_exchange_strong_explicit(&row->state, &state, state + 2, memory_order_relaxed,
                                               memory_order_relaxed)) {
    return 0;
  }
  uint64_t frontier = conclave_frontier(view);
  uint64_t cursor = atomic_load_explicit(&row->cursor, memory_order_relaxed);
  uint64_t position = cursor > least ? cursor : least;
  if (position > frontier || frontier - position > view->geometry.slot_count) return 0;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    subscriber->consumed[lane] = subscriber->flushed[lane] =
        atomic_load_explicit(&row->consumed[lane], memory_order_relaxed);
  }
  subscriber->position = subscriber->flushed_position = cursor;
  pass_over(subscriber, position);
  atomic_store_explicit(&row->timeout_ns, options->timeout_ns, memory_order_relaxed);
  store_keep(row, options->keep_ns);
  return 1;
}

int conclave_subscriber_succeed(conclave_subscriber *subscriber, conclave_view *view,
                                const conclave_subscription *options, uint64_t least) {
  for (uint32_t index = 0; index < view->geometry.row_count; index++) {
    if (!is_kept(conclave_row_at(view, index))) continue;
    int failure = conclave_lock_try(view->descriptor, CONCLAVE_LOCK_ROWS + index, 1);
    if (failure == EAGAIN) continue;
    if (!failure) failure = conclave_row_open(view, index);
    if (failure) return failure;
    *subscriber = (conclave_subscriber){
        .view = *view, .row = conclave_row_at(view, index), .row_index = index, .holds = 1};
    if (inherit(subscriber, options, least)) {
      announce(subscriber, options);
      return 0;
    }
    /* What it says makes no sense, or a publisher has released it. */
    atomic_fetch_and_explicit(&subscriber->row->state, ~UINT64_C(1), memory_order_seq_cst);
    conclave_wake_publishers(view);
    conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + index, 1);
  }
  return ENOENT;
}

int conclave_mirror_take(const conclave_view *view) {
  int failure = conclave_lock_try(view->descriptor, CONCLAVE_LOCK_MIRROR, 1);
  if (failure != EAGAIN) return failure;
  /* Who removes the segment holds all its locks for a moment. */
  return conclave_segment_is_being_removed(view->descriptor) ? EAGAIN : CONCLAVE_E_MIRRORED;
}

void conclave_mirror_give_back(const conclave_view *view) {
  conclave_lock_release(view->descriptor, CONCLAVE_LOCK_MIRROR, 1);
}

void conclave_subscriber_leave(conclave_subscriber *subscriber) {
  conclave_view *view = &subscriber->view;
  if (!conclave_view_is_own(view)) return;
  if (view->is_read_only) {
    conclave_lock_release(view->descriptor, CONCLAVE_LOCK_READERS, 1);
    return;
  }
  if (subscriber->row) {
    uint64_t state = atomic_load_explicit(&subscriber->row->state, memory_order_relaxed);
    atomic_store_explicit(&subscriber->row->state, state & ~UINT64_C(1), memory_order_seq_cst);
    conclave_wake_publishers(view);
  }
  atomic_store_explicit(&view->presences[subscriber->row_index].pid, 0, memory_order_relaxed);
  conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + subscriber->row_index, 1);
  if (subscriber->holds) conclave_mirror_give_back(view);
}

void conclave_subscriber_abandon(conclave_subscriber *subscriber, uint64_t keep_ns) {
  conclave_view *view = &subscriber->view;
  if (!conclave_view_is_own(view)) return;
  if (subscriber->row) {
    atomic_store_explicit(&subscriber->row->keep_ns, keep_ns, memory_order_relaxed);
  }
  atomic_store_explicit(&view->presences[subscriber->row_index].pid, 0, memory_order_relaxed);
  conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + subscriber->row_index, 1);
  if (subscriber->holds) conclave_mirror_give_back(view);
}

void conclave_subscriber_free(conclave_subscriber *subscriber) {
  free(subscriber->scratch);
  conclave_view_unmap(&subscriber->view);
}
