#include "step_origin.h"

#include <errno.h>

#include "conclave_order.h"

static uint64_t origin;

int step_begin_before(uint32_t width) {
  if (width != 31 && width != 32 && width != 63 && width != 64) return EINVAL;
  origin = (UINT64_MAX >> (64 - width)) - 1;
  return 0;
}

static void begin_event(conclave_event *event) {
  atomic_store_explicit(&event->word, (uint32_t)origin & ~1u, memory_order_relaxed);
}

static void begin_board(const conclave_view *view) {
  conclave_board *board = view->board;
  begin_event(&board->data);
  begin_event(&board->space);
  begin_event(&board->kept);
  begin_event(&board->safe);
  begin_event(&board->work);
}

static void begin_lanes(const conclave_view *view) {
  for (uint32_t i = 0; i < view->geometry.lane_count; i++) {
    conclave_lane_header *lane = conclave_lane_header_at(view, i);
    atomic_store_explicit(&lane->reserve, origin, memory_order_relaxed);
    atomic_store_explicit(&lane->published, origin, memory_order_relaxed);
    atomic_store_explicit(&lane->reused, origin, memory_order_relaxed);
    begin_event(&view->lane_waits[i].event);
  }
}

static void begin_rows(const conclave_view *view) {
  for (uint32_t i = 0; i < view->geometry.row_count; i++) {
    conclave_row *row = conclave_row_at(view, i);
    atomic_store_explicit(&row->state, origin & ~UINT64_C(1), memory_order_relaxed);
  }
}

/* The last lap, of records that nobody reads any more. */
static void begin_order(const conclave_view *view) {
  uint64_t slots = view->geometry.slot_count;
  for (uint64_t i = 1; i <= slots; i++) {
    uint64_t slot = conclave_slot_make(conclave_lap(view, origin - i), 0, origin - i);
    atomic_store_explicit(conclave_slot_at(view, origin - i), slot, memory_order_relaxed);
  }
  atomic_store_explicit(view->tail, origin, memory_order_relaxed);
}

void step_origin_set(const conclave_view *view) {
  if (origin == 0) return;
  begin_board(view);
  begin_lanes(view);
  begin_rows(view);
  begin_order(view);
}

uint64_t step_origin_position(const conclave_view *view) {
  return origin <= CONCLAVE_BELIEVED ? origin
                                             : conclave_position_near(view, origin, 0);
}
