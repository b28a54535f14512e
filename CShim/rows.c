#include "conclave_rows.h"

#include "conclave_liveness.h"
#include "conclave_order.h"

/* The least of one word of all active rows; a position unless `near` is NULL. */
static conclave_slowest slowest(const conclave_view *view, size_t word_offset,
                                const uint64_t *near) {
  conclave_slowest found = {.row = CONCLAVE_NO_ROW};
  for (uint32_t i = 0; i < view->geometry.row_count; i++) {
    conclave_row *row = conclave_row_at(view, i);
    /* SYNC POINT join is the caller's fence; this takes what activate stored before it. */
    uint64_t state = atomic_load_explicit(&row->state, memory_order_acquire);
    if (!conclave_row_is_active(state)) continue;
    const _Atomic uint64_t *word =
        (const _Atomic uint64_t *)(const void *)((const uint8_t *)row + word_offset);
    uint64_t said = atomic_load_explicit(word, memory_order_acquire); /* SYNC POINT consume */
    /* Who is just joining says 0, which is no position. */
    uint64_t value = near && said != 0 ? conclave_position_near(view, said, *near) : said;
    if (found.row != CONCLAVE_NO_ROW && value >= found.value) continue;
    found.row = i;
    found.value = value;
    found.said = said;
    found.state = state;
    found.timeout_ns = atomic_load_explicit(&row->timeout_ns, memory_order_relaxed);
  }
  return found;
}

conclave_slowest conclave_slowest_in_lane(const conclave_view *view, uint32_t lane) {
  return slowest(view, offsetof(conclave_row, consumed) + lane * sizeof(uint64_t), NULL);
}

conclave_slowest conclave_slowest_in_ring(const conclave_view *view, uint64_t position) {
  return slowest(view, offsetof(conclave_row, cursor), &position);
}

int conclave_row_reap(const conclave_view *view, uint32_t row, uint64_t state) {
  /* An error is not death: only a clear "nobody" is. */
  if (conclave_lock_held(view->descriptor, CONCLAVE_LOCK_ROWS + row, 1) != 0) return 0;
  uint64_t seen = state;
  atomic_compare_exchange_strong_explicit(&conclave_row_at(view, row)->state, &seen,
                                          state & ~UINT64_C(1), memory_order_relaxed,
                                          memory_order_relaxed);
  return 1;
}

uint64_t conclave_row_orphaned(conclave_row *row, uint64_t state, uint64_t now) {
  /* One word, so that it cannot be torn: which owner, above milliseconds for 8,900 years. Each store is
   * complete in itself, and whoever reads an older one only waits longer: relaxed. */
  const uint64_t millisecond = 1000000, time_bits = UINT64_C(0xFFFFFFFFFFFF);
  uint64_t owner = (state >> 1) << 48;
  uint64_t said = atomic_load_explicit(&row->orphaned, memory_order_relaxed);
  uint64_t since = (said & time_bits) * millisecond;
  if (said != 0 && (said & ~time_bits) == owner && since <= now) return since;
  atomic_store_explicit(&row->orphaned, owner | (now / millisecond & time_bits), memory_order_relaxed);
  return now;
}

void conclave_wake_publishers(const conclave_view *view) {
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    conclave_event_signal(&view->lane_waits[lane].event);
  }
  conclave_event_signal(&view->board->space);
}
