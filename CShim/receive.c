#include "conclave_receive.h"

void conclave_subscriber_interrupt(conclave_subscriber *subscriber) {
  atomic_store_explicit(&subscriber->interrupted, 1, memory_order_seq_cst);
  conclave_view_signal(&subscriber->view, &subscriber->view.board->data);
  conclave_view_signal(&subscriber->view, &subscriber->view.board->work);
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
  /* Nothing is read by way of this slot; `published`, acquired, has brought those that it counts. */
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, subscriber->position),
                                       memory_order_relaxed);
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
  if (subscriber->view.is_read_only) return;
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
    /* A number, by way of which nothing is read. */
    uint64_t published = atomic_load_explicit(&conclave_lane_header_at(view, lane)->published,
                                              memory_order_relaxed);
    uint64_t ahead = published - subscriber->flushed[lane];
    /* More than there is: what the lane says makes no sense. */
    if (ahead > view->lane_granules / 2 && ahead <= view->lane_granules) return 1;
  }
  return 0;
}

void conclave_subscriber_note_lost(conclave_subscriber *subscriber, uint64_t messages) {
  if (subscriber->view.is_read_only) return;
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

conclave_outcome conclave_receive_nothing(conclave_subscriber *subscriber,
                                          conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  uint64_t position = subscriber->position;
  uint64_t frontier = look_for_frontier(subscriber);
  /* More than a lap ahead the slot would be of a later lap: then it is the frontier that makes no sense. */
  if (frontier <= position || frontier - position > view->geometry.slot_count) {
    conclave_subscriber_flush(subscriber);
    return CONCLAVE_NOTHING;
  }
  /* Once more: it may have been filled before the look at the frontier, which has acquired all slots before
   * that (SYNC POINT order). */
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_relaxed);
  if (conclave_slot_compare(view, slot, position) != CONCLAVE_SLOT_FREE) return CONCLAVE_NOTHING;
  subscriber->doubtful = 1;
  record->position = position;
  subscriber->position++;
  return CONCLAVE_DAMAGED;
}

conclave_outcome conclave_receive_lapped(conclave_subscriber *subscriber,
                                         conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  uint64_t position = subscriber->position;
  /* The caller has seen it already. */
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_relaxed);
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
