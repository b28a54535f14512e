/* Publishing: from a lane of one's own into the order ring.
 *
 * One publisher at a time per conclave_publisher; it is private memory. No allocation, no lock, no
 * system call unless somebody sleeps or the lane is full.
 *
 * A publisher that dies before its swap was never heard; after it, it has published. What it reserved
 * in vain is void; the lane's next owner continues behind it.
 *
 * SYNC POINT overwrite: `reserve` is stored before the record's bytes (release fence between); a
 * dropping subscriber copies the bytes and then loads `reserve` (acquire fence between): if it sees
 * any new byte, it sees that its record is gone.
 */
#ifndef CONCLAVE_PUBLISH_H
#define CONCLAVE_PUBLISH_H

#include <errno.h>

#include "conclave_copy.h"
#include "conclave_flag.h"
#include "conclave_order.h"

/* What to do when a subscription with back pressure has no room. */
typedef enum conclave_wait_mode {
  CONCLAVE_WAIT = 0,    /* sleep, at most for that subscription's time-out */
  CONCLAVE_NO_WAIT = 1, /* give up at once */
} conclave_wait_mode;

typedef struct conclave_publisher {
  conclave_view view;
  conclave_lane_header *lane_header;
  uint8_t *lane_data;
  uint64_t head;          /* granules: the end of the last record published */
  uint64_t reserved;      /* granules: what `reserve` says */
  uint64_t lane_limit;    /* granules: records may end here at most before room must be looked for */
  uint64_t next_position; /* a position below which all are taken */
  uint64_t ring_limit;    /* positions: as lane_limit */
  uint64_t incarnation;
  uint64_t messages;
  uint64_t waits;         /* how often it slept for room */
  uint64_t kept_until;    /* CLOCK_MONOTONIC nanoseconds: how long the row of a dead subscription that is
                           * in the way is kept for a successor; 0: none is */
  const conclave_flag *cancel; /* ends a wait for room when raised; may be NULL */
  uint32_t lane;
  uint32_t slow_row;      /* who had no room, after ETIMEDOUT */
  uint64_t patience_ns;   /* how long to wait for a row that is kept for a successor; 0: as it says */
} conclave_publisher;

/* Claims a lane: its lock, its memory, a greater incarnation. Of those that nobody holds it takes an
 * unused one as long as few are abandoned, else the one abandoned longest ago.
 * `view` must be mapped for CONCLAVE_PUBLISH; on success the publisher owns it.
 * Returns 0; EAGAIN when all lanes are taken; ENOSPC; another errno. */
int conclave_publisher_join(conclave_publisher *publisher, conclave_view *view,
                            uint64_t incarnation, uint32_t pid);

/* Gives the lane back and unmaps. */
void conclave_publisher_leave(conclave_publisher *publisher);

/* Makes room so that a record may end at granule `end`: 0, EAGAIN (CONCLAVE_NO_WAIT), ETIMEDOUT,
 * ECANCELED (within CONCLAVE_WAIT_LIMIT_NS of the cancel flag's being raised), EBADMSG. */
int conclave_lane_room(conclave_publisher *publisher, uint64_t end, conclave_wait_mode mode);

/* Makes room so that `position` may be taken: as conclave_lane_room. */
int conclave_ring_room(conclave_publisher *publisher, uint64_t position, conclave_wait_mode mode);

/* Publishes a message that needs several records. With CONCLAVE_NO_WAIT only if there is room for all of
 * it now. Once its first fragment is out it waits for room whatever `mode` says, since half a message
 * is worth nothing. */
int conclave_publish_fragments(conclave_publisher *publisher, const void *head, uint32_t head_bytes,
                               const void *body, uint64_t body_bytes, conclave_wait_mode mode);

/* How often a publisher looks for the frontier anew before it calls the ring damaged. A healthy ring
 * sends it there only when it stood still for more than a lap. */
enum { CONCLAVE_MAX_RECOVERIES = 100 };

/* Where to look for a free slot when the hint says `tail`, which is more than a lap ahead of what the
 * publisher knows: it stood still for long, or the hint is damaged, which must not take it to where slots
 * look the same but nobody else counts. One that is not believed is put right. */
uint64_t conclave_publish_position(const conclave_publisher *publisher, uint64_t tail);

/* Puts the record at `granule` in order: the swap. 0; what conclave_ring_room says; EBADMSG when the
 * ring holds what no publisher wrote. */
static inline int conclave_order_append(conclave_publisher *publisher, uint64_t granule,
                                        conclave_wait_mode mode) {
  const conclave_view *view = &publisher->view;
  uint64_t position = atomic_load_explicit(view->tail, memory_order_relaxed);
  if (position <= publisher->next_position) {
    position = publisher->next_position;
  } else if (__builtin_expect(position - publisher->next_position > view->geometry.slot_count, 0)) {
    /* The hint of a lost segment is as far ahead as can be. */
    if (conclave_view_is_lost(view)) return EBADMSG;
    position = conclave_publish_position(publisher, position);
  } else if (!conclave_position_follows(view, position)) {
    position = conclave_frontier_near(view, publisher->next_position);
  }
  for (int recoveries = 0; recoveries < CONCLAVE_MAX_RECOVERIES;) {
    _Atomic uint64_t *slot = conclave_slot_at(view, position);
    uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed); /* SYNC POINT order */
    switch (conclave_slot_compare(view, seen, position)) {
      case CONCLAVE_SLOT_CURRENT:
        position++;
        continue;
      case CONCLAVE_SLOT_FREE:
        break;
      case CONCLAVE_SLOT_LATER:
      case CONCLAVE_SLOT_EARLIER:
        position = conclave_frontier_near(view, publisher->next_position);
        recoveries++;
        continue;
    }
    if (__builtin_expect(position >= publisher->ring_limit, 0)) {
      int failure = conclave_ring_room(publisher, position, mode);
      if (failure) return failure;
      continue;
    }
    uint64_t wanted = conclave_slot_make(conclave_lap(view, position), publisher->lane, granule);
    /* SYNC POINT publish, and SYNC POINT sleep: sequentially consistent. */
    if (atomic_compare_exchange_strong_explicit(slot, &seen, wanted, memory_order_seq_cst,
                                                memory_order_relaxed)) {
      publisher->next_position = position + 1;
      if ((position & (CONCLAVE_TAIL_STRIDE - 1)) == 0) conclave_tail_raise(view, position + 1);
      return 0;
    }
  }
  return EBADMSG;
}

/* Asks for the lines of the next record, which is taken to be as long as the last one, `granules`.
 * Subscribers have read what lay there, so each line is a transfer between cores, and the swap waits
 * for all of them: asked for now, they come while the next message is being made. Only where nobody
 * reads any more; at most the lines that a core can wait for at once. */
static inline void conclave_publish_prefetch(const conclave_publisher *publisher, uint64_t end,
                                             uint64_t granules) {
  uint64_t lines = granules < 8 ? granules : 8;
  if (end + lines > publisher->lane_limit) return;
  uint64_t offset = end & (publisher->view.lane_granules - 1);
  const uint8_t *next = publisher->lane_data + offset * CONCLAVE_GRANULE;
  /* At the lane's end the next record begins at its beginning, and is not worth a case. */
  if (offset + lines > publisher->view.lane_granules) return;
  for (uint64_t line = 0; line < lines; line++) {
    conclave_prefetch_to_write(next + line * CONCLAVE_LINE);
  }
}

/* Publishes one record of kind `kind` whose body is `head` (a multiple of 8 bytes) and `body`. Does
 * not wake anybody. 0, or as conclave_order_append. The sizes together must not exceed the record limit. */
static inline int conclave_publish_record(conclave_publisher *publisher, uint64_t kind,
                                          const void *head, uint32_t head_bytes, const void *body,
                                          uint32_t body_bytes, conclave_wait_mode mode) {
  const conclave_view *view = &publisher->view;
  uint32_t bytes = (uint32_t)sizeof(conclave_record_header) + head_bytes + body_bytes;
  uint64_t granules = (bytes + CONCLAVE_GRANULE - 1) / CONCLAVE_GRANULE;
  uint64_t start = publisher->head;
  uint64_t offset = start & (view->lane_granules - 1);
  if (offset + granules > view->lane_granules) {
    start += view->lane_granules - offset;
    offset = 0;
  }
  uint64_t end = start + granules;
  if (__builtin_expect(end > publisher->lane_limit, 0)) {
    int failure = conclave_lane_room(publisher, end, mode);
    if (failure) return failure;
  }
  if (end > publisher->reserved) {
    publisher->reserved = end;
    atomic_store_explicit(&publisher->lane_header->reserve, end, memory_order_relaxed);
  }
  atomic_thread_fence(memory_order_release); /* SYNC POINT overwrite */
  _Atomic uint64_t *record =
      (_Atomic uint64_t *)(void *)(publisher->lane_data + offset * CONCLAVE_GRANULE);
  atomic_store_explicit(&record[0], (uint64_t)conclave_stamp(view, start) << 32 | bytes,
                        memory_order_relaxed);
  atomic_store_explicit(&record[1], publisher->incarnation << 8 | kind, memory_order_relaxed);
  conclave_copy_in(record + 2, head, head_bytes);
  conclave_copy_in(record + 2 + head_bytes / 8, body, body_bytes);
  int failure = conclave_order_append(publisher, start, mode);
  if (failure) return failure;
  publisher->head = end;
  atomic_store_explicit(&publisher->lane_header->published, end, memory_order_release);
  conclave_publish_prefetch(publisher, end, granules);
  return 0;
}

/* Publishes one message whose body is `head` (a multiple of 8 bytes, at most a quarter of the record
 * limit) and `body`. Does not wake anybody: call conclave_publish_wake after the last of a batch.
 * The position is publisher->next_position - 1. 0, or as conclave_order_append: nothing was published. */
static inline int conclave_publish(conclave_publisher *publisher, const void *head,
                                   uint32_t head_bytes, const void *body, uint64_t body_bytes,
                                   conclave_wait_mode mode) {
  int failure;
  if (__builtin_expect(
          sizeof(conclave_record_header) + head_bytes + body_bytes <= publisher->view.record_limit,
          1)) {
    failure = conclave_publish_record(publisher, CONCLAVE_WHOLE, head, head_bytes, body,
                                      (uint32_t)body_bytes, mode);
  } else {
    failure = conclave_publish_fragments(publisher, head, head_bytes, body, body_bytes, mode);
  }
  if (failure) return failure;
  publisher->messages++;
  atomic_store_explicit(&publisher->lane_header->messages, publisher->messages,
                        memory_order_relaxed);
  return 0;
}

/* Wakes subscribers that sleep. One load when none does. */
static inline void conclave_publish_wake(conclave_publisher *publisher) {
  conclave_event_signal(&publisher->view.board->data);
}

#endif
