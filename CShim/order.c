#include "conclave_order.h"

/* SYNC POINT order. */
static conclave_slot_age age_at(const conclave_view *view, uint64_t position) {
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_acquire);
  return conclave_slot_compare(view, slot, position);
}

/* No slot was ever used. After the lap's wrap a slot may be zero again, but not two: no two records of
 * a lane begin at one granule within a lap. Who has come by the hint alone need not have seen a slot. SYNC
 * POINT order: if the last is used, the first must not seem to be of the lap before all when it is looked at
 * again. */
static int is_fresh(const conclave_view *view) {
  const _Atomic uint64_t *last = &view->slots[view->geometry.slot_count - 1];
  return atomic_load_explicit(view->slots, memory_order_relaxed) == 0 &&
         atomic_load_explicit(last, memory_order_acquire) == 0;
}

/* Without a usable hint: of all positions near `hint`, the one behind the last record. Laps are
 * compared with slot 0's, so the result is right whatever the hint was, up to the lap's wrap. */
static uint64_t frontier_by_search(const conclave_view *view, uint64_t hint) {
  if (is_fresh(view)) return 0;
  uint64_t first = atomic_load_explicit(view->slots, memory_order_relaxed);
  uint64_t lap = first >> (CONCLAVE_GRANULE_BITS + CONCLAVE_LANE_BITS);
  uint64_t position = conclave_position_near(
      view, ((lap - 1) & CONCLAVE_LAP_MASK) << view->slot_shift, hint);
  for (uint32_t i = 0; i < view->geometry.slot_count; i++, position++) {
    if (age_at(view, position) != CONCLAVE_SLOT_CURRENT) break;
  }
  return position;
}

uint64_t conclave_frontier(const conclave_view *view) {
  uint64_t position = conclave_tail_hint(view);
  /* Twice round the ring is more than a live ring can move while we look. */
  for (uint64_t steps = 0; steps < 2ull * view->geometry.slot_count; steps++) {
    switch (age_at(view, position)) {
      case CONCLAVE_SLOT_CURRENT:
        position++;
        continue;
      case CONCLAVE_SLOT_FREE:
        return conclave_position_follows(view, position) ? position
                                                         : frontier_by_search(view, position);
      case CONCLAVE_SLOT_LATER: {
        uint64_t tail = conclave_tail_hint(view);
        position = tail > position ? tail : frontier_by_search(view, position);
        continue;
      }
      case CONCLAVE_SLOT_EARLIER:
        return frontier_by_search(view, position);
    }
  }
  return frontier_by_search(view, position);
}

uint64_t conclave_frontier_near(const conclave_view *view, uint64_t position) {
  return conclave_position_near(view, conclave_frontier(view), position);
}

int conclave_order_has(const conclave_view *view, uint32_t lane, uint64_t granule, uint64_t end) {
  uint64_t frontier = conclave_frontier(view);
  uint64_t oldest =
      frontier > view->geometry.slot_count ? frontier - view->geometry.slot_count : 0;
  for (uint64_t position = frontier; position-- > oldest;) {
    /* SYNC POINT consume: of a later lap it brings what was consumed before. */
    uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_acquire);
    if (conclave_slot_compare(view, slot, position) == CONCLAVE_SLOT_CURRENT &&
        conclave_slot_lane(slot) == lane &&
        ((conclave_slot_granule(slot) - granule) & CONCLAVE_GRANULE_MASK) < end - granule) {
      return 1;
    }
  }
  return 0;
}
