#include "conclave_publish.h"

#include "conclave_clock.h"
#include "conclave_liveness.h"
#include "conclave_rows.h"
#include "conclave_segment.h"

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t add_saturating(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* How many lanes of dead publishers are left alone while there are unused ones: what their streams say
 * helps subscribers that lost their last messages. More would cost a lane's memory each. */
enum { KEPT_LANES = 8 };

typedef struct lane_choice {
  uint64_t incarnation; /* of the last owner; 0: there was none */
  uint32_t lane;
  uint32_t unused;
} lane_choice;

/* Lanes that nobody holds just now: the unused ones and then the others, longest abandoned first.
 * Returns how many; `*abandoned` of them had an owner. */
static uint32_t free_lanes(const conclave_view *view, lane_choice *choices, uint32_t *abandoned) {
  uint32_t count = 0;
  *abandoned = 0;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    conclave_lane_header *header = conclave_lane_header_at(view, lane);
    uint64_t incarnation = atomic_load_explicit(&header->incarnation, memory_order_relaxed);
    /* 0 also while a lane changes hands; then its reserve tells that it is not unused. */
    if (incarnation == 0 && atomic_load_explicit(&header->reserve, memory_order_relaxed) != 0) {
      incarnation = UINT64_MAX;
    }
    if (incarnation != 0) {
      if (conclave_lock_held(view->descriptor, CONCLAVE_LOCK_LANES + lane, 1) != 0) continue;
      ++*abandoned;
    }
    uint32_t place = count++;
    for (; place > 0 && choices[place - 1].incarnation > incarnation; place--) {
      choices[place] = choices[place - 1];
    }
    choices[place] = (lane_choice){.incarnation = incarnation, .lane = lane};
  }
  return count;
}

/* Takes the lock of a lane and makes its memory usable. Where there is no memory for an unused lane an
 * abandoned one, which has it, will do. */
static int claim_lane(const conclave_view *view, uint32_t *claimed) {
  lane_choice choices[CONCLAVE_MAX_LANES];
  uint32_t abandoned;
  uint32_t count = free_lanes(view, choices, &abandoned);
  uint32_t first = abandoned >= KEPT_LANES ? count - abandoned : 0;
  int reason = EAGAIN;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t lane = choices[(first + i) % count].lane;
    int failure = conclave_lock_try(view->descriptor, CONCLAVE_LOCK_LANES + lane, 1);
    if (failure == EAGAIN) continue; /* somebody was faster */
    if (failure) return failure;
    failure = conclave_lane_open(view, lane);
    *claimed = lane;
    if (!failure) return 0;
    conclave_lock_release(view->descriptor, CONCLAVE_LOCK_LANES + lane, 1);
    if (failure != ENOSPC) return failure;
    reason = failure;
  }
  return reason;
}

/* Where the void begins that the lane's last owner reserved but never got into the order ring. Its last
 * record may have got there just before it died. If that is so long ago that the order ring has
 * forgotten, who consumed it knows (conclave_flush_position): its row says so. If no row is active,
 * nobody but a dropping subscriber in the middle of copying can still be concerned, and that one
 * notices (`reused`). */
static uint64_t void_begin(const conclave_view *view, uint32_t lane, uint64_t published,
                           uint64_t reserved) {
  if (published > reserved || conclave_order_has(view, lane, published, reserved)) return reserved;
  uint64_t begin = published;
  for (uint32_t i = 0; i < view->geometry.row_count; i++) {
    conclave_row *row = conclave_row_at(view, i);
    if (!conclave_row_is_active(atomic_load_explicit(&row->state, memory_order_relaxed))) continue;
    uint64_t consumed = atomic_load_explicit(&row->consumed[lane], memory_order_relaxed);
    if (consumed <= reserved) begin = larger(begin, consumed);
  }
  return begin;
}

/* Reads how far the lane's last owner came. */
static void read_lane(conclave_publisher *publisher) {
  conclave_lane_header *header = publisher->lane_header;
  uint64_t reserve = atomic_load_explicit(&header->reserve, memory_order_relaxed);
  uint64_t published = atomic_load_explicit(&header->published, memory_order_relaxed);
  publisher->reserved = conclave_granule_believed(reserve);
  publisher->head = conclave_granule_believed(published);
  if (publisher->reserved == reserve && publisher->head == published) return;
  atomic_store_explicit(&header->reserve, publisher->reserved, memory_order_relaxed);
  atomic_store_explicit(&header->published, publisher->head, memory_order_relaxed);
}

/* Continues where the lane's last owner stopped. What it reserved but never got into the order ring
 * is void and may be used; what it did get in, just before it died, stays. */
static void take_over(conclave_publisher *publisher, uint64_t incarnation, uint32_t pid) {
  conclave_lane_header *header = publisher->lane_header;
  uint64_t before = atomic_load_explicit(&header->incarnation, memory_order_relaxed);
  atomic_store_explicit(&header->incarnation, 0, memory_order_relaxed);
  atomic_thread_fence(memory_order_release); /* SYNC POINT lists, and for `published` below */
  read_lane(publisher);
  if (publisher->head != publisher->reserved) {
    publisher->head = void_begin(&publisher->view, publisher->lane, publisher->head,
                                 publisher->reserved);
    /* For catch_up in receive.c, which must see the slots of all that this counts: they were filled before
     * the lock was free, and the fence above has released them. */
    atomic_store_explicit(&header->published, publisher->head, memory_order_relaxed);
    /* SYNC POINT reuse: after the looks at the order ring, which it releases to those who copy, before any
     * byte is written. */
    uint64_t reused = atomic_load_explicit(&header->reused, memory_order_relaxed);
    atomic_store_explicit(&header->reused, reused + 1, memory_order_release);
  }
  /* Records have 56 bits for it; who wrote more was no publisher. */
  publisher->incarnation = before >> 55 ? incarnation : larger(incarnation, before + 1);
  atomic_store_explicit(&header->stream_bytes, 0, memory_order_relaxed);
  atomic_store_explicit(&header->messages, 0, memory_order_relaxed);
  atomic_store_explicit(&header->pid, pid, memory_order_relaxed);
  /* SYNC POINT lists: with `stream_bytes` 0. */
  atomic_store_explicit(&header->incarnation, publisher->incarnation, memory_order_release);
}

int conclave_publisher_join(conclave_publisher *publisher, conclave_view *view,
                            uint64_t incarnation, uint32_t pid) {
  uint32_t lane = 0;
  int failure = claim_lane(view, &lane);
  if (failure) return failure;
  *publisher = (conclave_publisher){
      .view = *view,
      .lane = lane,
      .lane_header = conclave_lane_header_at(view, lane),
      .lane_data = conclave_lane_at(view, lane),
      .next_position = conclave_frontier(view),
  };
  take_over(publisher, incarnation, pid);
  /* SYNC POINT watch (park.c): from here on somebody may have to look by the clock. */
  conclave_event_signal(&view->board->data);
  return 0;
}

void conclave_publisher_leave(conclave_publisher *publisher) {
  if (conclave_view_is_own(&publisher->view)) {
    conclave_lock_release(publisher->view.descriptor, CONCLAVE_LOCK_LANES + publisher->lane, 1);
  }
  conclave_view_unmap(&publisher->view);
}

uint64_t conclave_publish_position(const conclave_publisher *publisher, uint64_t tail) {
  const conclave_view *view = &publisher->view;
  uint64_t next = publisher->next_position;
  if (tail > CONCLAVE_BELIEVED) {
    uint64_t seen = tail;
    atomic_compare_exchange_strong_explicit(view->tail, &seen, next, memory_order_relaxed,
                                            memory_order_relaxed);
  }
  uint64_t position = conclave_position_near(view, tail, next);
  if (position <= next) return next;
  return conclave_position_follows(view, position) ? position : conclave_frontier_near(view, next);
}

/* One episode of waiting for room. */
typedef struct episode {
  uint64_t started_ns;
  conclave_wait_mode mode;
  uint32_t unused;
} episode;

/* Whether to wait for `slowest` once more: 0 with the time until which to sleep, or why not. */
static int may_wait(conclave_publisher *publisher, episode *waiting,
                    const conclave_slowest *slowest, uint64_t *until_ns) {
  if (waiting->mode == CONCLAVE_NO_WAIT) return EAGAIN;
  if (publisher->cancel && conclave_flag_is_raised(publisher->cancel)) return ECANCELED;
  uint64_t now = conclave_monotonic_ns();
  if (waiting->started_ns == 0) {
    waiting->started_ns = now;
    publisher->waits++;
  }
  uint64_t deadline;
  if (publisher->patience_ns && conclave_row_keep(conclave_row_at(&publisher->view, slowest->row))) {
    deadline = add_saturating(waiting->started_ns, publisher->patience_ns);
  } else {
    /* A dead one's own patience must not end before it makes room for good. */
    deadline = larger(add_saturating(waiting->started_ns, slowest->timeout_ns), publisher->kept_until);
  }
  /* It may be over just since reap looked: then it looks again, and makes room. */
  int is_released = publisher->kept_until == deadline && now - deadline < CONCLAVE_WAIT_LIMIT_NS;
  if (now >= deadline && !is_released) {
    publisher->slow_row = slowest->row;
    return ETIMEDOUT;
  }
  *until_ns = smaller(deadline, now + CONCLAVE_WAIT_LIMIT_NS);
  return 0;
}

/* Whether the row that is in the way was released, its subscription being dead. One that is kept for a
 * successor is released only when that time is over; until then `kept_until` says when it is. */
static int reap(conclave_publisher *publisher, const conclave_slowest *slowest) {
  const conclave_view *view = &publisher->view;
  conclave_row *row = conclave_row_at(view, slowest->row);
  publisher->kept_until = 0;
  uint64_t keep_ns = conclave_row_keep(row);
  if (keep_ns == 0) return conclave_row_reap(view, slowest->row, slowest->state);
  if (conclave_lock_held(view->descriptor, CONCLAVE_LOCK_ROWS + slowest->row, 1) != 0) return 0;
  uint64_t now = conclave_monotonic_ns();
  uint64_t shift = (uint64_t)conclave_clock_shift_ns("monotonic");
  uint64_t since = conclave_row_orphaned(row, slowest->state, now - shift) + shift;
  uint64_t until = add_saturating(since, keep_ns);
  if (now >= until && conclave_row_reap(view, slowest->row, slowest->state)) return 1;
  publisher->kept_until = until;
  return 0;
}

/* Sleeps on the lane's event until the row has consumed up to `wanted`, unless it has already. */
static void sleep_for_lane(conclave_publisher *publisher, const conclave_slowest *slowest,
                           uint64_t wanted, uint64_t until_ns) {
  conclave_lane_wait *wait = &publisher->view.lane_waits[publisher->lane];
  conclave_row *row = conclave_row_at(&publisher->view, slowest->row);
  atomic_store_explicit(&wait->row, slowest->row, memory_order_relaxed);
  atomic_store_explicit(&wait->wanted, wanted, memory_order_relaxed);
  uint32_t ticket = conclave_event_prepare(&wait->event);
  /* SYNC POINT room: this look comes after the announcement; conclave_flush_lane stores before it
   * looks for announcements. */
  if (atomic_load_explicit(&row->consumed[publisher->lane], memory_order_seq_cst) < wanted &&
      atomic_load_explicit(&row->state, memory_order_seq_cst) == slowest->state) {
    conclave_event_signal(&publisher->view.board->work);
    conclave_event_wait(&wait->event, ticket, until_ns);
  }
}

/* How far a publisher at `now` may go when `capacity` fits behind what the slowest row has consumed. No
 * row is ahead of the publisher; one that says so is not believed. */
static uint64_t limit_of(const conclave_slowest *slowest, uint64_t now, uint64_t capacity) {
  int counts = slowest->row != CONCLAVE_NO_ROW && slowest->value < now;
  return add_saturating(counts ? slowest->value : now, capacity);
}

/* No publisher ever gets further ahead of a row than `capacity`, except of one that is just joining and
 * says 0: then the row or the publisher's own idea of where it is are wrong, and no waiting helps. */
static int is_nonsense(const conclave_slowest *slowest, uint64_t now, uint64_t capacity) {
  return slowest->value != 0 && now - slowest->value > capacity;
}

int conclave_lane_room(conclave_publisher *publisher, uint64_t end, conclave_wait_mode mode) {
  const conclave_view *view = &publisher->view;
  episode waiting = {.mode = mode};
  /* What was published so far must be readable by those for whom we are about to wait. */
  conclave_publish_wake(publisher);
  for (;;) {
    /* SYNC POINT join: our swaps and `published` come before this reading of the rows. */
    atomic_thread_fence(memory_order_seq_cst);
    conclave_slowest slowest = conclave_slowest_in_lane(view, publisher->lane);
    publisher->lane_limit = limit_of(&slowest, publisher->head, view->lane_granules);
    if (end <= publisher->lane_limit) return 0;
    if (slowest.row == CONCLAVE_NO_ROW) return EBADMSG;
    if (reap(publisher, &slowest)) continue;
    if (is_nonsense(&slowest, publisher->head, view->lane_granules)) return EBADMSG;
    uint64_t until_ns = 0;
    int failure = may_wait(publisher, &waiting, &slowest, &until_ns);
    if (failure) return failure;
    /* Half a lane at once, so that one wake-up serves many records; the row will get that far,
     * since it lies below what is published. */
    uint64_t half = publisher->head - smaller(publisher->head, view->lane_granules / 2);
    sleep_for_lane(publisher, &slowest, larger(end - view->lane_granules, half), until_ns);
  }
}

int conclave_ring_room(conclave_publisher *publisher, uint64_t position, conclave_wait_mode mode) {
  const conclave_view *view = &publisher->view;
  episode waiting = {.mode = mode};
  conclave_publish_wake(publisher);
  for (;;) {
    atomic_thread_fence(memory_order_seq_cst); /* SYNC POINT join */
    conclave_slowest slowest = conclave_slowest_in_ring(view, position);
    publisher->ring_limit = limit_of(&slowest, position, view->geometry.slot_count);
    if (position < publisher->ring_limit) return 0;
    if (slowest.row == CONCLAVE_NO_ROW) return EBADMSG;
    if (reap(publisher, &slowest)) continue;
    if (is_nonsense(&slowest, position, view->geometry.slot_count)) return EBADMSG;
    uint64_t until_ns = 0;
    int failure = may_wait(publisher, &waiting, &slowest, &until_ns);
    if (failure) return failure;
    uint32_t ticket = conclave_event_prepare(&view->board->space);
    conclave_row *row = conclave_row_at(view, slowest.row);
    /* SYNC POINT room, as in sleep_for_lane. */
    if (atomic_load_explicit(&row->cursor, memory_order_seq_cst) == slowest.said &&
        atomic_load_explicit(&row->state, memory_order_seq_cst) == slowest.state) {
      conclave_event_signal(&view->board->work);
      conclave_event_wait(&view->board->space, ticket, until_ns);
    }
  }
}

/* Where a record of so many bytes ends that begins at `granule` or behind it. */
static uint64_t end_of_record(const conclave_view *view, uint64_t granule, uint64_t bytes) {
  uint64_t granules = (bytes + CONCLAVE_GRANULE - 1) / CONCLAVE_GRANULE;
  uint64_t left = view->lane_granules - (granule & (view->lane_granules - 1));
  return granule + granules + (granules > left ? left : 0);
}

/* Whether a message whose fragments have so many bytes in all goes out without a wait, as far as one can
 * know: others may take the order ring's slots meanwhile, so a quarter of it must be free beyond what
 * this needs. 0 or EAGAIN. */
static int room_for_all(conclave_publisher *publisher, uint64_t bytes) {
  const conclave_view *view = &publisher->view;
  uint64_t room = (view->record_limit - sizeof(conclave_record_header)) & ~UINT64_C(7);
  uint64_t end = publisher->head;
  uint64_t records = 0;
  for (uint64_t left = bytes; left > 0; records++) {
    uint64_t piece = smaller(left, room);
    end = end_of_record(view, end, sizeof(conclave_record_header) + piece);
    left -= piece;
  }
  atomic_thread_fence(memory_order_seq_cst); /* SYNC POINT join */
  conclave_slowest lane = conclave_slowest_in_lane(view, publisher->lane);
  if (lane.row == CONCLAVE_NO_ROW) return 0;
  if (end > limit_of(&lane, publisher->head, view->lane_granules)) return EAGAIN;
  uint64_t position = conclave_frontier_near(view, publisher->next_position);
  conclave_slowest ring = conclave_slowest_in_ring(view, position);
  uint64_t slots = view->geometry.slot_count;
  return position + records + slots / 4 <= limit_of(&ring, position, slots) ? 0 : EAGAIN;
}

int conclave_publish_fragments(conclave_publisher *publisher, const void *head, uint32_t head_bytes,
                               const void *body, uint64_t body_bytes, conclave_wait_mode mode) {
  const uint8_t *rest = body;
  uint64_t left = body_bytes;
  uint32_t room = publisher->view.record_limit - (uint32_t)sizeof(conclave_record_header);
  int failure = mode == CONCLAVE_NO_WAIT ? room_for_all(publisher, 8 + head_bytes + body_bytes) : 0;
  if (failure) return failure;
  uint64_t first[(CONCLAVE_MAX_RECORD_BYTES / 4 + 8) / 8];
  first[0] = head_bytes + body_bytes;
  memcpy(first + 1, head, head_bytes);
  uint32_t taken = (room - head_bytes - 8) & ~7u;
  failure = conclave_publish_record(publisher, CONCLAVE_FIRST, first, head_bytes + 8, rest, taken,
                                    mode);
  if (failure) return failure;
  rest += taken;
  left -= taken;
  while (left > 0) {
    uint32_t piece = (uint32_t)smaller(left, room & ~7u);
    uint64_t kind = piece == left ? CONCLAVE_LAST : CONCLAVE_MORE;
    failure = conclave_publish_record(publisher, kind, NULL, 0, rest, piece, CONCLAVE_WAIT);
    if (failure) return failure;
    rest += piece;
    left -= piece;
  }
  return 0;
}
