/* Receiving: walking the order ring with a cursor of one's own.
 *
 * Two ways. With back pressure records are read where they lie: nobody overwrites what the row has
 * not consumed. Otherwise ("dropping") a record is copied out and then judged: if its lane was reserved
 * past it meanwhile, it is lost and says so. A dropping subscriber writes nothing that others need.
 *
 * One thread at a time per conclave_subscriber; it is private memory. No allocation, no lock, no
 * system call unless a publisher sleeps for room. One call does a bounded amount of work.
 *
 * SYNC POINT consume: the row's `consumed` and `cursor` (stored sequentially consistent, after the
 * bytes were read) are the publisher's licence to overwrite.
 */
#ifndef CONCLAVE_RECEIVE_H
#define CONCLAVE_RECEIVE_H

#include "conclave_copy.h"
#include "conclave_order.h"

/* What conclave_receive found. */
typedef enum conclave_outcome {
  CONCLAVE_NOTHING = 0, /* nothing there yet */
  CONCLAVE_RECORD = 1,  /* a record; call conclave_release when done with it */
  CONCLAVE_LAPPED = 2,  /* the ring went round: `lost` positions are gone, the cursor moved on */
  CONCLAVE_GONE = 3,    /* one record was overwritten in its lane: the cursor moved on */
  CONCLAVE_DAMAGED = 4, /* one record makes no sense: the cursor moved on */
} conclave_outcome;

/* A record as it was received: valid until conclave_release. */
typedef struct conclave_record {
  const uint8_t *body;
  uint64_t position;
  uint64_t incarnation;
  uint64_t lost; /* positions, with CONCLAVE_LAPPED */
  uint32_t body_bytes;
  uint32_t lane;
  uint32_t kind;
  uint32_t unused;
} conclave_record;

typedef struct conclave_subscriber {
  conclave_view view;
  conclave_row *row;        /* NULL without back pressure */
  uint64_t *scratch;        /* record_limit bytes; without back pressure */
  uint64_t position;        /* the next to read */
  uint64_t flushed_position;
  uint64_t frontier;        /* where the ring stood when it was last looked at, */
  uint64_t looked;          /* which was at this position */
  uint64_t after_record;    /* granules: the end of the record that is out */
  uint32_t row_index;       /* CONCLAVE_NO_ROW: it only reads */
  uint32_t record_lane;     /* of the record that is out */
  _Atomic uint32_t interrupted;
  uint32_t doubtful;        /* with back pressure: records were passed over without being read */
  uint32_t holds;           /* with back pressure: nothing is given back before it is said so */
  uint32_t heeds_asks;      /* whether conclave_subscriber_park ends when the mirror has been asked */
  uint64_t asks;            /* more often than this */
  uint64_t dirty[4];        /* lanes whose consumption the row does not say yet */
  uint64_t consumed[CONCLAVE_MAX_LANES]; /* granules */
  uint64_t flushed[CONCLAVE_MAX_LANES];
  uint64_t reused[CONCLAVE_MAX_LANES];   /* what the lanes' `reused` said */
} conclave_subscriber;

/* How to join. */
typedef struct conclave_subscription {
  uint64_t timeout_ns; /* with back pressure: how long each publish waits at most */
  const char *label;   /* for people */
  uint32_t label_bytes; /* at most CONCLAVE_LABEL_BYTES are kept */
  uint32_t pid;        /* for people */
  int32_t back_pressure;
  uint32_t unused;
  /* With back pressure. Not 0: the row outlives its subscription's death, and publishers wait so long
   * for a successor; and what is read is only given back by conclave_subscriber_commit. */
  uint64_t keep_ns;
} conclave_subscription;

/* Claims a row and begins at the ring's frontier; with back pressure publishers wait for it from here
 * on. `view` must be mapped for CONCLAVE_SUBSCRIBE; on success the subscriber owns it. 0, EAGAIN when
 * all rows are taken, ENOMEM, another errno. */
int conclave_subscriber_join(conclave_subscriber *subscriber, conclave_view *view,
                             const conclave_subscription *options);

/* As conclave_subscriber_join with `keep_ns`, but takes over the row of a dead subscription that is kept
 * for this, and goes on where that one gave back last: at `least` at the earliest. ENOENT: there is none
 * that makes sense; what does not is released. */
int conclave_subscriber_succeed(conclave_subscriber *subscriber, conclave_view *view,
                                const conclave_subscription *options, uint64_t least);

/* Gives back what a subscription with `keep_ns` has read. */
void conclave_subscriber_commit(conclave_subscriber *subscriber);

/* Whether a subscription with `keep_ns` has kept back so much that publishers may soon have no room: more
 * than half of the order ring, or of a lane. O(lanes). */
int conclave_subscriber_is_pressed(const conclave_subscriber *subscriber);

/* Begins at the ring's frontier, as a dropping subscriber, without writing anything: `view` must be mapped
 * for CONCLAVE_OBSERVE, and the kernel sees to the rest. It takes no row, so that there may be any number,
 * and onlookers do not see it; the segment stays while it is there. Nobody can wake it:
 * conclave_subscriber_park looks every CONCLAVE_WAIT_LIMIT_NS, also for conclave_subscriber_interrupt.
 * EAGAIN when somebody removes the segment, ENOMEM, another errno. */
int conclave_subscriber_observe(conclave_subscriber *subscriber, conclave_view *view);

/* Takes the lock that the one who copies everything into files holds, before it joins; leaving and
 * abandoning give it back. CONCLAVE_E_MIRRORED when somebody else has it, and EAGAIN when somebody
 * removes the segment. */
int conclave_mirror_take(const conclave_view *view);
void conclave_mirror_give_back(const conclave_view *view);

/* Gives the row back and wakes whoever waited for it. Nothing may be received afterwards, but another
 * thread may still be about to return from conclave_subscriber_park. */
void conclave_subscriber_leave(conclave_subscriber *subscriber);

/* Gives the row's lock back and leaves the row, as death does, to a successor, for whom publishers wait
 * `keep_ns` from then on. For a row with `keep_ns`. */
void conclave_subscriber_abandon(conclave_subscriber *subscriber, uint64_t keep_ns);

/* Unmaps, after conclave_subscriber_leave, when no thread uses the subscriber any more. */
void conclave_subscriber_free(conclave_subscriber *subscriber);

/* Ends a conclave_subscriber_park that is under way, or else the next one. From any thread. */
void conclave_subscriber_interrupt(conclave_subscriber *subscriber);

/* Sets a dropping subscriber's cursor back to the oldest position that may still be there. */
void conclave_subscriber_rewind(conclave_subscriber *subscriber);

/* Sets a dropping subscriber's cursor to `position`. */
void conclave_subscriber_seek(conclave_subscriber *subscriber, uint64_t position);

/* Tells publishers and onlookers how far it has come, and wakes those whom that helps. Call it when
 * there is nothing to read. A subscription with `keep_ns` tells onlookers alone. */
void conclave_subscriber_flush(conclave_subscriber *subscriber);

/* What to do when conclave_receive found CONCLAVE_NOTHING: conclave_subscriber_flush. Where the slot says that
 * it is free, though the ring has gone on behind it, that is damage like any other instead: one record is
 * lost, and nobody waits for it. Also CONCLAVE_NOTHING when there is something by now. */
conclave_outcome conclave_receive_nothing(conclave_subscriber *subscriber, conclave_record *record);

/* Sleeps until there may be a record at `position` (a copy of subscriber->position), until
 * conclave_subscriber_interrupt, until `deadline_ns`, or for about ten seconds. Gives the time slice
 * away a few times first. May run while another thread receives. A record whose publisher was killed or
 * stopped before it could wake anybody is noticed within CONCLAVE_WAIT_LIMIT_NS; see park.c. */
void conclave_subscriber_park(conclave_subscriber *subscriber, uint64_t position,
                              uint64_t deadline_ns);

/* Tells onlookers that the layer above has lost `messages` more. */
void conclave_subscriber_note_lost(conclave_subscriber *subscriber, uint64_t messages);

/* The rare part of conclave_receive: the slot is not of this lap. */
conclave_outcome conclave_receive_lapped(conclave_subscriber *subscriber, conclave_record *record);

/* Tells publishers that `lane` was consumed up to subscriber->consumed[lane], and wakes its publisher
 * if it waits for that. */
void conclave_flush_lane(conclave_subscriber *subscriber, uint32_t lane);

/* As conclave_flush_lane, for all lanes and then for the order ring: whoever sees that the ring went on
 * sees what was consumed of the lanes (void_begin in publish.c). */
void conclave_flush_position(conclave_subscriber *subscriber);

/* conclave_receive_lapped by way of a copy, so that the caller's record may live in registers. */
static inline conclave_outcome conclave_receive_rare(conclave_subscriber *subscriber,
                                                     conclave_record *record) {
  conclave_record rare = *record;
  conclave_outcome outcome = conclave_receive_lapped(subscriber, &rare);
  *record = rare;
  return outcome;
}

/* conclave_receive_nothing: likewise. */
static inline conclave_outcome conclave_receive_rest(conclave_subscriber *subscriber,
                                                     conclave_record *record) {
  conclave_record rare = *record;
  conclave_outcome outcome = conclave_receive_nothing(subscriber, &rare);
  *record = rare;
  return outcome;
}

/* Asks for the lines of a record some positions ahead; the order ring tells where they lie. */
static inline void conclave_receive_prefetch(const conclave_subscriber *subscriber) {
  const conclave_view *view = &subscriber->view;
  uint64_t ahead = subscriber->position + 8;
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, ahead), memory_order_relaxed);
  uint32_t lane = conclave_slot_lane(slot);
  if (conclave_slot_compare(view, slot, ahead) != CONCLAVE_SLOT_CURRENT ||
      lane >= view->geometry.lane_count) {
    return;
  }
  const uint8_t *record = conclave_lane_at(view, lane) +
                          (conclave_slot_granule(slot) & (view->lane_granules - 1)) *
                              CONCLAVE_GRANULE;
  for (int line = 0; line < 5; line++) __builtin_prefetch(record + line * CONCLAVE_LINE, 0, 3);
}

/* Whether `word` can be the first word of a record at `offset` granules of its lane. */
static inline int conclave_record_plausible(const conclave_view *view, uint64_t word,
                                            uint64_t granule, uint64_t offset) {
  uint32_t bytes = (uint32_t)word;
  return (uint32_t)(word >> 32) == conclave_stamp(view, granule) &&
         bytes >= sizeof(conclave_record_header) && bytes <= view->record_limit &&
         offset * CONCLAVE_GRANULE + bytes <= view->geometry.lane_bytes;
}

/* Reads the record at the cursor in place. The lane's bytes may not be trusted, but they do not move. */
static inline conclave_outcome conclave_receive_in_place(conclave_subscriber *subscriber,
                                                         uint32_t lane, uint64_t slot_granule,
                                                         conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  uint64_t base = subscriber->consumed[lane];
  uint64_t granule = base + ((slot_granule - base) & CONCLAVE_GRANULE_MASK);
  uint64_t offset = granule & (view->lane_granules - 1);
  const uint8_t *bytes = conclave_lane_at(view, lane) + offset * CONCLAVE_GRANULE;
  const _Atomic uint64_t *words = (const _Atomic uint64_t *)(const void *)bytes;
  uint64_t first = atomic_load_explicit(&words[0], memory_order_relaxed);
  if (!conclave_record_plausible(view, first, granule, offset)) {
    subscriber->position++;
    subscriber->doubtful = 1;
    return CONCLAVE_DAMAGED;
  }
  uint64_t second = atomic_load_explicit(&words[1], memory_order_relaxed);
  uint32_t length = (uint32_t)first;
  record->body = bytes + sizeof(conclave_record_header);
  record->body_bytes = length - (uint32_t)sizeof(conclave_record_header);
  record->kind = (uint32_t)(second & 0xFF);
  record->incarnation = second >> 8;
  subscriber->record_lane = lane;
  subscriber->after_record = granule + (length + CONCLAVE_GRANULE - 1) / CONCLAVE_GRANULE;
  return CONCLAVE_RECORD;
}

/* Reads the record at the cursor by copying it and judging afterwards. */
static inline conclave_outcome conclave_receive_copy(conclave_subscriber *subscriber, uint32_t lane,
                                                     uint64_t slot_granule,
                                                     conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  const conclave_lane_header *header = conclave_lane_header_at(view, lane);
  /* As new as the slot, which was acquired, so relaxed would do; compilers make slower code of that. */
  uint64_t reserve = atomic_load_explicit(&header->reserve, memory_order_acquire);
  uint64_t granule = reserve - ((reserve - slot_granule) & CONCLAVE_GRANULE_MASK);
  if (reserve - granule > view->lane_granules) {
    subscriber->position++;
    return CONCLAVE_GONE;
  }
  uint64_t offset = granule & (view->lane_granules - 1);
  const _Atomic uint64_t *words =
      (const _Atomic uint64_t *)(const void *)(conclave_lane_at(view, lane) +
                                               offset * CONCLAVE_GRANULE);
  uint64_t first = atomic_load_explicit(&words[0], memory_order_relaxed);
  int plausible = conclave_record_plausible(view, first, granule, offset);
  if (plausible) conclave_copy_out(subscriber->scratch, words, (uint32_t)first);
  atomic_thread_fence(memory_order_acquire); /* SYNC POINT overwrite */
  reserve = atomic_load_explicit(&header->reserve, memory_order_relaxed);
  if (reserve - granule > view->lane_granules) {
    subscriber->position++;
    return CONCLAVE_GONE;
  }
  /* SYNC POINT reuse: what a dead owner reserved in vain is written without a new reservation. If any
   * byte of that was copied the slot, looked at again, is of a later lap: its new owner saw that first
   * (take_over), and the fence above has taken it with the byte. So this look may be relaxed. `reused` may
   * not: once it is remembered only the slots of that lane's next records tell, which must be as new. */
  uint64_t reused = atomic_load_explicit(&header->reused, memory_order_acquire);
  if (__builtin_expect(reused != subscriber->reused[lane], 0)) {
    subscriber->reused[lane] = reused;
    uint64_t position = subscriber->position;
    uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_relaxed);
    if (conclave_slot_compare(view, slot, position) != CONCLAVE_SLOT_CURRENT) {
      return conclave_receive_rare(subscriber, record);
    }
  }
  if (!plausible) {
    subscriber->position++;
    return CONCLAVE_DAMAGED;
  }
  record->body = (const uint8_t *)(subscriber->scratch + 2);
  record->body_bytes = (uint32_t)first - (uint32_t)sizeof(conclave_record_header);
  record->kind = (uint32_t)(subscriber->scratch[1] & 0xFF);
  record->incarnation = subscriber->scratch[1] >> 8;
  return CONCLAVE_RECORD;
}

/* Looks at the cursor's position. */
static inline conclave_outcome conclave_receive(conclave_subscriber *subscriber,
                                                conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  uint64_t position = subscriber->position;
  /* SYNC POINT publish. */
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_acquire);
  if (conclave_slot_compare(view, slot, position) != CONCLAVE_SLOT_CURRENT) {
    return conclave_slot_compare(view, slot, position) == CONCLAVE_SLOT_FREE
               ? CONCLAVE_NOTHING
               : conclave_receive_rare(subscriber, record);
  }
  conclave_receive_prefetch(subscriber);
  uint32_t lane = conclave_slot_lane(slot);
  record->position = position;
  record->lane = lane;
  if (lane >= view->geometry.lane_count) {
    subscriber->position++;
    subscriber->doubtful = 1;
    return CONCLAVE_DAMAGED;
  }
  return subscriber->row
             ? conclave_receive_in_place(subscriber, lane, conclave_slot_granule(slot), record)
             : conclave_receive_copy(subscriber, lane, conclave_slot_granule(slot), record);
}

/* Done with the record that conclave_receive gave: it may be overwritten from here on. */
static inline void conclave_release(conclave_subscriber *subscriber) {
  subscriber->position++;
  if (!subscriber->row) return;
  uint32_t lane = subscriber->record_lane;
  subscriber->consumed[lane] = subscriber->after_record;
  subscriber->dirty[lane / 64] |= UINT64_C(1) << (lane % 64);
  if (subscriber->holds) return;
  if (subscriber->after_record - subscriber->flushed[lane] >= subscriber->view.lane_granules / 8) {
    conclave_flush_lane(subscriber, lane);
  }
  if (subscriber->position - subscriber->flushed_position >=
      subscriber->view.geometry.slot_count / 16) {
    conclave_flush_position(subscriber);
  }
}

#endif
