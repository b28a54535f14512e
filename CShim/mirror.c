#include "conclave_mirror.h"

#include "conclave_clock.h"

static uint64_t get(const _Atomic uint64_t *word) {
  return atomic_load_explicit(word, memory_order_seq_cst);
}

static void set(_Atomic uint64_t *word, uint64_t value) {
  atomic_store_explicit(word, value, memory_order_seq_cst);
}

/* `count` was looked at before and after: if both are the same and even, so is the stretch; an odd one
 * says that it is just being written, or that who wrote it died in between. */
static conclave_stretch_copy copy_stretch(const conclave_stretch *stretch) {
  conclave_stretch_copy copy = {.count = get(&stretch->count)};
  copy.begin = get(&stretch->begin);
  copy.end = get(&stretch->end);
  if (get(&stretch->count) != copy.count) copy.count |= 1;
  return copy;
}

conclave_mirror_copy conclave_mirror_read(const conclave_view *view) {
  const conclave_mirror_state *state = &view->board->mirror;
  conclave_mirror_copy copy = {.base = get(&state->base)};
  copy.synced = get(&state->synced);
  copy.mirrored = get(&state->mirrored);
  copy.trouble = get(&state->trouble);
  copy.messages = get(&state->messages);
  copy.bytes = get(&state->bytes);
  copy.skipped = copy_stretch(&state->skipped);
  copy.unsynced = copy_stretch(&state->unsynced);
  copy.unsynced.subject = atomic_load_explicit(&state->unsynced_subject, memory_order_seq_cst);
  /* Else the subject may be another stretch's. */
  if (get(&state->unsynced.count) != copy.unsynced.count) copy.unsynced.count |= 1;
  return copy;
}

void conclave_mirror_want_synced(const conclave_view *view, uint64_t position) {
  _Atomic uint64_t *wanted = &view->board->mirror.wanted;
  uint64_t seen = get(wanted);
  while (seen < position &&
         !atomic_compare_exchange_weak_explicit(wanted, &seen, position, memory_order_seq_cst,
                                                memory_order_seq_cst)) {
  }
}

void conclave_mirror_ask(const conclave_view *view, uint64_t position) {
  conclave_mirror_state *state = &view->board->mirror;
  /* SYNC POINT doze */
  uint64_t asks = atomic_fetch_add_explicit(&state->asks, 1, memory_order_seq_cst) + 1;
  if ((int64_t)(asks - get(&state->quorum)) >= 0) conclave_event_signal(&view->board->work);
  if (get(&state->mirrored) > position || get(&state->trouble) != 0) conclave_event_signal(&view->board->data);
}

void conclave_mirror_park(conclave_subscriber *subscriber, uint64_t position, uint64_t asks,
                          uint64_t deadline_ns) {
  subscriber->heeds_asks = 1;
  subscriber->asks = asks;
  conclave_subscriber_park(subscriber, position, deadline_ns);
}

void conclave_mirror_doze(conclave_subscriber *subscriber, uint64_t quorum, uint64_t deadline_ns) {
  const conclave_view *view = &subscriber->view;
  set(&view->board->mirror.quorum, quorum);
  uint32_t ticket = conclave_event_prepare(&view->board->work);
  /* SYNC POINT doze: the second look. */
  if ((int64_t)(conclave_mirror_asks(view) - quorum) >= 0) return;
  if (atomic_exchange_explicit(&subscriber->interrupted, 0, memory_order_seq_cst)) return;
  conclave_event_wait(&view->board->work, ticket, deadline_ns);
}

uint64_t conclave_mirror_set_base(const conclave_view *view, uint64_t base) {
  uint64_t seen = 0;
  uint64_t wanted = base + 1;
  if (atomic_compare_exchange_strong_explicit(&view->board->mirror.base, &seen, wanted,
                                              memory_order_seq_cst, memory_order_seq_cst)) {
    return base;
  }
  return seen - 1;
}

void conclave_mirror_note_mirrored(const conclave_view *view, uint64_t position, uint64_t messages,
                                   uint64_t bytes) {
  conclave_mirror_state *state = &view->board->mirror;
  set(&state->messages, get(&state->messages) + messages);
  set(&state->bytes, get(&state->bytes) + bytes);
  set(&state->mirrored, position); /* SYNC POINT keep */
  conclave_event_signal(&view->board->kept);
}

void conclave_mirror_note_synced(const conclave_view *view, uint64_t position) {
  set(&view->board->mirror.synced, position); /* SYNC POINT keep */
  conclave_event_signal(&view->board->safe);
}

/* `count` is odd meanwhile. Returns what it is to be afterwards. */
static uint64_t begin_stretch(conclave_stretch *stretch, uint64_t begin, uint64_t end) {
  uint64_t odd = get(&stretch->count) | 1;
  set(&stretch->count, odd);
  set(&stretch->begin, begin);
  set(&stretch->end, end);
  return odd + 1;
}

void conclave_mirror_note_skipped(const conclave_view *view, uint64_t begin, uint64_t end) {
  conclave_stretch *stretch = &view->board->mirror.skipped;
  set(&stretch->count, begin_stretch(stretch, begin, end));
}

void conclave_mirror_note_unsynced(const conclave_view *view, uint64_t begin, uint64_t end,
                                   uint32_t subject) {
  conclave_mirror_state *state = &view->board->mirror;
  uint64_t count = begin_stretch(&state->unsynced, begin, end);
  atomic_store_explicit(&state->unsynced_subject, subject, memory_order_seq_cst);
  set(&state->unsynced.count, count);
}

void conclave_mirror_note_round(const conclave_view *view) {
  atomic_fetch_add_explicit(&view->board->mirror.rounds, 1, memory_order_seq_cst);
}

void conclave_mirror_set_trouble(const conclave_view *view, uint64_t trouble) {
  set(&view->board->mirror.trouble, trouble);
  conclave_mirror_wake(view);
}

void conclave_mirror_wait(const conclave_view *view, uint64_t position, int synced,
                          const conclave_flag *cancel) {
  const conclave_mirror_state *state = &view->board->mirror;
  conclave_event *event = synced ? &view->board->safe : &view->board->kept;
  uint32_t ticket = conclave_view_prepare(view, event);
  /* SYNC POINT keep: the second look. */
  if (get(synced ? &state->synced : &state->mirrored) > position || get(&state->trouble) != 0) return;
  if (cancel && conclave_flag_is_raised(cancel)) return;
  conclave_event_wait(event, ticket, conclave_monotonic_ns() + CONCLAVE_WAIT_LIMIT_NS);
}
