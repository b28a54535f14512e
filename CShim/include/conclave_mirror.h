/* How far the mirror is: the one subscription that copies the whole ring into files.
 *
 * It reads in the row that it keeps (conclave_receive.h, `keep_ns`), and commits in this order: files,
 * `mirrored`, then the row. So a successor that goes on at the greater of `mirrored` and the row's
 * cursor finds every record behind it still in the ring, and what of them is in the files already it
 * can see there.
 *
 * Only the mirror writes these words, except that `base` is set once for each segment, and that
 * publishers raise `wanted` and count `asks`. Publishers read them, and sleep until they have risen.
 *
 * Between batches that come one after the other the mirror does not sleep as other subscribers do, where
 * the next publish would have to wake it, at a hundred times its own cost. It dozes: by the clock, until
 * somebody needs it. That is a publisher that has no room, or one that waits for its message to be kept.
 * The latter come in groups when they wait for the disk, so the mirror says how many it expects: one
 * wake-up serves them all.
 *
 * SYNC POINT doze: a publisher counts its question (sequentially consistent) before it looks whether the
 * mirror dozes; the mirror announces itself before its second look at the count. A publisher without
 * room that looks just before costs itself the rest of the doze at most.
 *
 * SYNC POINT keep: the mirror stores (sequentially consistent) before it looks for sleepers; a publisher
 * announces itself before its second look.
 */
#ifndef CONCLAVE_MIRROR_H
#define CONCLAVE_MIRROR_H

#include "conclave_flag.h"
#include "conclave_receive.h"

/* A copy of a conclave_stretch. */
typedef struct conclave_stretch_copy {
  uint64_t count;
  uint64_t begin;
  uint64_t end;
  uint32_t subject; /* what it is of; 0: everything there, or it cannot be said */
  uint32_t unused;
} conclave_stretch_copy;

/* A copy of a conclave_mirror_state. */
typedef struct conclave_mirror_copy {
  uint64_t base;
  uint64_t mirrored;
  uint64_t synced;
  uint64_t trouble;
  uint64_t messages;
  uint64_t bytes;
  conclave_stretch_copy skipped;
  conclave_stretch_copy unsynced;
} conclave_mirror_copy;

/* All of it. The progress comes first, so that a stretch that ends below it is in the copy. */
conclave_mirror_copy conclave_mirror_read(const conclave_view *view);

/* Whoever sees how far it is finds in the files, and in `skipped`, what that says. */
static inline uint64_t conclave_mirror_mirrored(const conclave_view *view) {
  return atomic_load_explicit(&view->board->mirror.mirrored, memory_order_acquire);
}

/* 0: none. One load. */
static inline uint64_t conclave_mirror_trouble(const conclave_view *view) {
  return atomic_load_explicit(&view->board->mirror.trouble, memory_order_relaxed);
}

/* Says that somebody waits for positions below `position` to be on the disk: a mirror that takes over
 * finds in the ring no request of those whose messages are in the files already. */
void conclave_mirror_want_synced(const conclave_view *view, uint64_t position);

/* How often a publisher has begun to wait. */
static inline uint64_t conclave_mirror_asks(const conclave_view *view) {
  return atomic_load_explicit(&view->board->mirror.asks, memory_order_seq_cst);
}

/* Says that its publisher begins to wait for what lies at `position`: wakes the mirror if it dozes and
 * expects nobody else. What is in the files already brings it no record to notice, so then it is woken from
 * its sleep as well. */
void conclave_mirror_ask(const conclave_view *view, uint64_t position);

/* As conclave_subscriber_park, for the mirror; ends as well when there were more than so many `asks`. */
void conclave_mirror_park(conclave_subscriber *subscriber, uint64_t position, uint64_t asks,
                          uint64_t deadline_ns);

/* Sleeps until there are so many `asks`, until a publisher has no room, until
 * conclave_subscriber_interrupt, or until `deadline_ns`. */
void conclave_mirror_doze(conclave_subscriber *subscriber, uint64_t quorum, uint64_t deadline_ns);

/* Rounds of syncs, twice: odd while one is under way. What was in a file before a round began is on the
 * disk after it, or in the stretch `unsynced`. */
static inline uint32_t conclave_mirror_rounds(const conclave_view *view) {
  return atomic_load_explicit(&view->board->mirror.rounds, memory_order_seq_cst);
}

/* A round begins, or ends. Wakes nobody: who waits for one, while there is trouble, looks by the clock. */
void conclave_mirror_note_round(const conclave_view *view);

static inline uint64_t conclave_mirror_wanted(const conclave_view *view) {
  return atomic_load_explicit(&view->board->mirror.wanted, memory_order_seq_cst);
}

/* Says what the files call position 0, unless that was said before; returns what holds. */
uint64_t conclave_mirror_set_base(const conclave_view *view, uint64_t base);

/* Positions below `position` are in the files: wakes publishers. `messages` and `bytes` more were copied. */
void conclave_mirror_note_mirrored(const conclave_view *view, uint64_t position, uint64_t messages,
                                   uint64_t bytes);

/* Positions below `position` are on the disk: wakes publishers. */
void conclave_mirror_note_synced(const conclave_view *view, uint64_t position);

/* Positions from `begin` to `end` will not be in the files, or not be known to be on the disk. Before
 * conclave_mirror_note_mirrored or _synced says anything beyond `begin`. */
void conclave_mirror_note_skipped(const conclave_view *view, uint64_t begin, uint64_t end);
void conclave_mirror_note_unsynced(const conclave_view *view, uint64_t begin, uint64_t end,
                                   uint32_t subject);

/* Why the mirror cannot write, and in the upper half what; 0: it can. Wakes publishers. */
void conclave_mirror_set_trouble(const conclave_view *view, uint64_t trouble);

/* Sleeps until the position is mirrored (`synced`: until it is synced), there is trouble, `cancel` is
 * raised (may be NULL), or for at most CONCLAVE_WAIT_LIMIT_NS. The caller looks and calls again. */
void conclave_mirror_wait(const conclave_view *view, uint64_t position, int synced,
                          const conclave_flag *cancel);

/* Wakes those who sleep there, to look at their flags. */
static inline void conclave_mirror_wake(const conclave_view *view) {
  conclave_view_signal(view, &view->board->kept);
  conclave_view_signal(view, &view->board->safe);
}

#endif
