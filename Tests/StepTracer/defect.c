#include "defect.h"

conclave_outcome defective_receive(conclave_subscriber *subscriber, conclave_record *record) {
  const conclave_view *view = &subscriber->view;
  uint64_t position = subscriber->position;
  uint64_t slot = atomic_load_explicit(conclave_slot_at(view, position), memory_order_acquire);
  if (conclave_slot_compare(view, slot, position) != CONCLAVE_SLOT_CURRENT ||
      conclave_slot_lane(slot) >= view->geometry.lane_count) {
    return conclave_receive(subscriber, record);
  }
  uint32_t lane = conclave_slot_lane(slot);
  const conclave_lane_header *header = conclave_lane_header_at(view, lane);
  uint64_t reserve = atomic_load_explicit(&header->reserve, memory_order_acquire);
  uint64_t granule = reserve - ((reserve - conclave_slot_granule(slot)) & CONCLAVE_GRANULE_MASK);
  uint64_t offset = granule & (view->lane_granules - 1);
  const _Atomic uint64_t *words =
      (const _Atomic uint64_t *)(const void *)(conclave_lane_at(view, lane) +
                                               offset * CONCLAVE_GRANULE);
  uint64_t first = atomic_load_explicit(&words[0], memory_order_relaxed);
  if (!conclave_record_plausible(view, first, granule, offset)) {
    return conclave_receive(subscriber, record);
  }
  uint32_t again = (uint32_t)atomic_load_explicit(&words[0], memory_order_relaxed);
  conclave_copy_out(subscriber->scratch, words, again);
  *record = (conclave_record){
      .body = (const uint8_t *)(subscriber->scratch + 2),
      .position = position,
      .incarnation = subscriber->scratch[1] >> 8,
      .body_bytes = (uint32_t)first - (uint32_t)sizeof(conclave_record_header),
      .lane = lane,
      .kind = (uint32_t)(subscriber->scratch[1] & 0xFF),
  };
  return CONCLAVE_RECORD;
}
