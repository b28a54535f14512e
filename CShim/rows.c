#include "conclave_rows.h"

#include "conclave_liveness.h"

/* The least of one word of all active rows. */
static conclave_slowest slowest(const conclave_view *view, size_t word_offset) {
  conclave_slowest found = {.row = CONCLAVE_NO_ROW};
  for (uint32_t i = 0; i < view->geometry.row_count; i++) {
    conclave_row *row = conclave_row_at(view, i);
    uint64_t state = atomic_load_explicit(&row->state, memory_order_seq_cst);
    if (!conclave_row_is_active(state)) continue;
    const _Atomic uint64_t *word =
        (const _Atomic uint64_t *)(const void *)((const uint8_t *)row + word_offset);
    uint64_t value = atomic_load_explicit(word, memory_order_seq_cst);
    if (found.row != CONCLAVE_NO_ROW && value >= found.value) continue;
    found.row = i;
    found.value = value;
    found.state = state;
    found.timeout_ns = atomic_load_explicit(&row->timeout_ns, memory_order_relaxed);
  }
  return found;
}

conclave_slowest conclave_slowest_in_lane(const conclave_view *view, uint32_t lane) {
  return slowest(view, offsetof(conclave_row, consumed) + lane * sizeof(uint64_t));
}

conclave_slowest conclave_slowest_in_ring(const conclave_view *view) {
  return slowest(view, offsetof(conclave_row, cursor));
}

int conclave_row_reap(const conclave_view *view, uint32_t row, uint64_t state) {
  /* An error is not death: only a clear "nobody" is. */
  if (conclave_lock_held(view->descriptor, CONCLAVE_LOCK_ROWS + row, 1) != 0) return 0;
  uint64_t seen = state;
  atomic_compare_exchange_strong_explicit(&conclave_row_at(view, row)->state, &seen,
                                          state & ~UINT64_C(1), memory_order_seq_cst,
                                          memory_order_seq_cst);
  return 1;
}

void conclave_wake_publishers(const conclave_view *view) {
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    conclave_event_signal(&view->lane_waits[lane].event);
  }
  conclave_event_signal(&view->board->space);
}
