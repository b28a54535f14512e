#include "conclave_receive.h"

#include <errno.h>
#include <stdlib.h>

#include "conclave_liveness.h"
#include "conclave_rows.h"
#include "conclave_segment.h"

/* Not more than is believed. */
static void store_keep(conclave_row *row, uint64_t keep_ns) {
  uint64_t believed = keep_ns < CONCLAVE_KEEP_LIMIT_NS ? keep_ns : CONCLAVE_KEEP_LIMIT_NS;
  atomic_store_explicit(&row->keep_ns, believed, memory_order_release);
}

/* Whether the row is kept for a successor of its dead subscription. */
static int is_kept(const conclave_row *row) {
  return conclave_row_is_active(atomic_load_explicit(&row->state, memory_order_acquire)) &&
         conclave_row_keep(row) != 0;
}

/* Takes the lock of a row. One that a dead subscription left active is only for those who will hold
 * publishers back themselves: a dropping subscription cannot write the row, and holding its lock would
 * make the dead look alive. */
static int claim_row(const conclave_view *view, int even_active, uint32_t *claimed) {
  for (uint32_t row = 0; row < view->geometry.row_count; row++) {
    uint64_t state = atomic_load_explicit(&conclave_row_at(view, row)->state, memory_order_acquire);
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
  atomic_store_explicit(&row->cursor, 0, memory_order_seq_cst);
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    atomic_store_explicit(&row->consumed[lane], 0, memory_order_seq_cst);
  }
  atomic_store_explicit(&row->timeout_ns, options->timeout_ns, memory_order_relaxed);
  store_keep(row, options->keep_ns);
  atomic_store_explicit(&row->state, ((before >> 1) + 1) << 1 | 1, memory_order_seq_cst);
  atomic_thread_fence(memory_order_seq_cst);
  subscriber->position = subscriber->flushed_position = conclave_frontier(view);
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    uint64_t published = atomic_load_explicit(&conclave_lane_header_at(view, lane)->published,
                                              memory_order_seq_cst);
    subscriber->consumed[lane] = subscriber->flushed[lane] = published;
    atomic_store_explicit(&row->consumed[lane], published, memory_order_seq_cst);
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

int conclave_subscriber_join(conclave_subscriber *subscriber, conclave_view *view,
                             const conclave_subscription *options) {
  uint32_t index = 0;
  int failure = claim_row(view, options->back_pressure, &index);
  if (failure == EAGAIN && !options->back_pressure) failure = claim_dead_row(view, &index);
  if (failure) return failure;
  *subscriber = (conclave_subscriber){
      .view = *view, .row_index = index, .holds = options->keep_ns != 0};
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    subscriber->reused[lane] = atomic_load_explicit(&conclave_lane_header_at(view, lane)->reused,
                                                    memory_order_acquire);
  }
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

/* Makes the dead subscription's row `subscriber`'s own, with all that it says. The compare-and-swap
 * loses against a publisher that releases the row just now. */
static int inherit(conclave_subscriber *subscriber, const conclave_subscription *options,
                   uint64_t least) {
  const conclave_view *view = &subscriber->view;
  conclave_row *row = subscriber->row;
  uint64_t state = atomic_load_explicit(&row->state, memory_order_seq_cst);
  if (!conclave_row_is_active(state) || conclave_row_keep(row) == 0 ||
      !atomic_compare_exchange_strong_explicit(&row->state, &state, state + 2, memory_order_seq_cst,
                                               memory_order_seq_cst)) {
    return 0;
  }
  uint64_t frontier = conclave_frontier(view);
  uint64_t cursor = atomic_load_explicit(&row->cursor, memory_order_seq_cst);
  uint64_t position = cursor > least ? cursor : least;
  if (position > frontier || frontier - position > view->geometry.slot_count) return 0;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    subscriber->consumed[lane] = subscriber->flushed[lane] =
        atomic_load_explicit(&row->consumed[lane], memory_order_seq_cst);
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
    atomic_store_explicit(&subscriber->row->keep_ns, keep_ns, memory_order_release);
  }
  atomic_store_explicit(&view->presences[subscriber->row_index].pid, 0, memory_order_relaxed);
  conclave_lock_release(view->descriptor, CONCLAVE_LOCK_ROWS + subscriber->row_index, 1);
  if (subscriber->holds) conclave_mirror_give_back(view);
}

void conclave_subscriber_free(conclave_subscriber *subscriber) {
  free(subscriber->scratch);
  conclave_view_unmap(&subscriber->view);
}

void conclave_subscriber_interrupt(conclave_subscriber *subscriber) {
  atomic_store_explicit(&subscriber->interrupted, 1, memory_order_seq_cst);
  conclave_event_signal(&subscriber->view.board->data);
  conclave_event_signal(&subscriber->view.board->work);
}

void conclave_subscriber_rewind(conclave_subscriber *subscriber) {
  uint32_t slots = subscriber->view.geometry.slot_count;
  uint64_t frontier = conclave_frontier_near(&subscriber->view, subscriber->position);
  subscriber->position = frontier > slots ? frontier - slots : 0;
}

void conclave_subscriber_seek(conclave_subscriber *subscriber, uint64_t position) {
  subscriber->position = position;
}

void conclave_flush_lane(conclave_subscriber *subscriber, uint32_t lane) {
  uint64_t consumed = subscriber->consumed[lane];
  subscriber->flushed[lane] = consumed;
  subscriber->dirty[lane / 64] &= ~(UINT64_C(1) << (lane % 64));
  /* SYNC POINT consume, and SYNC POINT room: stored before the look for sleepers. */
  atomic_store_explicit(&subscriber->row->consumed[lane], consumed, memory_order_seq_cst);
  conclave_lane_wait *wait = &subscriber->view.lane_waits[lane];
  if ((atomic_load_explicit(&wait->event.word, memory_order_seq_cst) & 1) &&
      atomic_load_explicit(&wait->row, memory_order_relaxed) == subscriber->row_index &&
      atomic_load_explicit(&wait->wanted, memory_order_relaxed) <= consumed) {
    conclave_event_wake(&wait->event);
  }
}

static void flush_lanes(conclave_subscriber *subscriber) {
  for (uint32_t word = 0; word < 4; word++) {
    while (subscriber->dirty[word]) {
      uint32_t bit = (uint32_t)__builtin_ctzll(subscriber->dirty[word]);
      conclave_flush_lane(subscriber, word * 64 + bit);
    }
  }
}

/* Records were passed over, and nobody knows of which lanes. But when there is nothing to read, all that
 * is published is consumed: `published` is read first, then the slot once more. */
static void catch_up(conclave_subscriber *subscriber) {
  const conclave_view *view = &subscriber->view;
  uint64_t published[CONCLAVE_MAX_LANES];
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    published[lane] = atomic_load_explicit(&conclave_lane_header_at(view, lane)->published,
                                           memory_order_acquire);
  }
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, subscriber->position),
                                       memory_order_acquire);
  if (conclave_slot_compare(view, slot, subscriber->position) != CONCLAVE_SLOT_FREE) return;
  subscriber->doubtful = 0;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    uint64_t ahead = published[lane] - subscriber->consumed[lane];
    if (ahead == 0 || ahead > view->lane_granules) continue;
    subscriber->consumed[lane] = published[lane];
    conclave_flush_lane(subscriber, lane);
  }
}

void conclave_flush_position(conclave_subscriber *subscriber) {
  flush_lanes(subscriber);
  subscriber->flushed_position = subscriber->position;
  /* SYNC POINT consume, and SYNC POINT room. */
  atomic_store_explicit(&subscriber->row->cursor, subscriber->position, memory_order_seq_cst);
  conclave_event_signal(&subscriber->view.board->space);
}

void conclave_subscriber_flush(conclave_subscriber *subscriber) {
  atomic_store_explicit(&subscriber->view.presences[subscriber->row_index].cursor,
                        subscriber->position, memory_order_relaxed);
  if (!subscriber->row || subscriber->holds) return;
  if (subscriber->doubtful) catch_up(subscriber);
  flush_lanes(subscriber);
  if (subscriber->flushed_position != subscriber->position) conclave_flush_position(subscriber);
}

void conclave_subscriber_commit(conclave_subscriber *subscriber) {
  if (subscriber->doubtful) catch_up(subscriber);
  conclave_flush_position(subscriber);
}

int conclave_subscriber_is_pressed(const conclave_subscriber *subscriber) {
  const conclave_view *view = &subscriber->view;
  uint64_t frontier = conclave_frontier_near(view, subscriber->flushed_position);
  if (frontier - subscriber->flushed_position > view->geometry.slot_count / 2) return 1;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    uint64_t published = atomic_load_explicit(&conclave_lane_header_at(view, lane)->published,
                                              memory_order_acquire);
    uint64_t ahead = published - subscriber->flushed[lane];
    /* More than there is: what the lane says makes no sense. */
    if (ahead > view->lane_granules / 2 && ahead <= view->lane_granules) return 1;
  }
  return 0;
}

void conclave_subscriber_note_lost(conclave_subscriber *subscriber, uint64_t messages) {
  atomic_fetch_add_explicit(&subscriber->view.presences[subscriber->row_index].lost, messages,
                            memory_order_relaxed);
}

/* How many positions a look at the frontier serves: in a damaged ring a look may take O(slot_count),
 * and every slot may want one. */
enum { LOOK_SERVES = 64 };

static uint64_t look_for_frontier(conclave_subscriber *subscriber) {
  uint64_t position = subscriber->position;
  if (subscriber->frontier <= position || position - subscriber->looked >= LOOK_SERVES) {
    subscriber->frontier = conclave_frontier_near(&subscriber->view, position);
    subscriber->looked = position;
  }
  return subscriber->frontier;
}

conclave_outcome conclave_receive_lapped(conclave_subscriber *subscriber,
                                         conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  uint64_t position = subscriber->position;
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_acquire);
  uint64_t frontier = look_for_frontier(subscriber);
  uint32_t slots = view->geometry.slot_count;
  /* Nothing was published here yet, so nothing can be lost: the slot is damaged, and better to wait
   * than to run ahead of the ring (conclave_position_is_blocked tells). */
  if (frontier <= position) return CONCLAVE_NOTHING;
  subscriber->doubtful = 1;
  /* No publisher leaves a slot more than a lap behind. */
  if (conclave_slot_compare(view, slot, position) == CONCLAVE_SLOT_EARLIER) {
    record->position = position;
    subscriber->position++;
    return CONCLAVE_DAMAGED;
  }
  /* A quarter of the ring ahead of those who overwrite, so as not to be overrun again at once. */
  uint64_t next = frontier > slots ? frontier - slots + slots / 4 : 0;
  if (next <= position) next = position + 1;
  record->position = position;
  record->lost = next - position;
  subscriber->position = next;
  return CONCLAVE_LAPPED;
}
