#include "conclave_damage.h"

/* How often the frontier is looked for while slots seem to be ahead of it: in a live ring once or twice
 * per lap, in a damaged one for every slot. */
enum { LOOKS = 100 };

/* The position that `slot`, which lies at `index`, says it is of: the first that fits from the newest
 * on that had its record when the frontier was at `frontier`. */
static uint64_t claimed_position(const conclave_view *view, uint64_t slot, uint32_t index,
                                 uint64_t frontier) {
  uint64_t before = (frontier - 1 - index) & (view->geometry.slot_count - 1);
  uint64_t base = index < frontier ? frontier - 1 - before : index;
  uint64_t laps = ((slot >> (CONCLAVE_GRANULE_BITS + CONCLAVE_LANE_BITS)) -
                   conclave_lap(view, base)) & CONCLAVE_LAP_MASK;
  return base + (laps << view->slot_shift);
}

/* Each slot that lies below the frontier before the look at it is at least of the lap that this makes
 * it, and none is of a position at or behind a frontier that was found after the look. */
static uint32_t damaged_slots(const conclave_view *view) {
  uint64_t frontier = conclave_frontier(view);
  uint64_t latest = frontier;
  uint32_t damaged = 0;
  int looks = 0;
  for (uint32_t index = 0; index < view->geometry.slot_count; index++) {
    /* SYNC POINT order: the look at the frontier behind it must find what lies before this one. */
    uint64_t slot = atomic_load_explicit(&view->slots[index], memory_order_acquire);
    if (slot == 0 && index >= frontier) continue; /* never used */
    if (conclave_slot_lane(slot) >= view->geometry.lane_count) {
      damaged++;
      continue;
    }
    uint64_t position = claimed_position(view, slot, index, frontier);
    if (position >= latest && looks < LOOKS) {
      latest = conclave_frontier(view);
      looks++;
    }
    if (position >= latest) damaged++;
  }
  return damaged;
}

static int lane_makes_sense(const conclave_view *view, uint32_t lane) {
  const conclave_lane_header *header = conclave_lane_header_at(view, lane);
  /* In this order, since a publisher stores them the other way round. */
  uint64_t published = atomic_load_explicit(&header->published, memory_order_acquire);
  uint64_t reserve = atomic_load_explicit(&header->reserve, memory_order_relaxed);
  uint64_t incarnation = atomic_load_explicit(&header->incarnation, memory_order_relaxed);
  uint32_t streams = atomic_load_explicit(&header->stream_bytes, memory_order_relaxed);
  /* Records have 56 bits for the incarnation. A live publisher may go on between the two looks, but
   * what it published is never ahead of what it reserved. */
  return published <= reserve && incarnation >> 55 == 0 && streams <= sizeof(header->streams);
}

conclave_damage conclave_damage_find(const conclave_view *view) {
  conclave_damage damage = {.slots = damaged_slots(view)};
  damage.blocked = conclave_position_is_blocked(view, conclave_frontier(view));
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    if (!lane_makes_sense(view, lane)) damage.lanes[lane / 64] |= UINT64_C(1) << (lane % 64);
  }
  return damage;
}

int conclave_position_is_blocked(const conclave_view *view, uint64_t position) {
  /* SYNC POINT order, as in damaged_slots. */
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_acquire);
  conclave_slot_age age = conclave_slot_compare(view, slot, position);
  if (conclave_view_is_lost(view)) return 1;
  if (age == CONCLAVE_SLOT_CURRENT || age == CONCLAVE_SLOT_FREE) return 0;
  /* Looked for afterwards: the ring of a slot that was used again has gone on. */
  return conclave_frontier_near(view, position) <= position;
}
