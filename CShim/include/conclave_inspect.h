/* What Swift needs to read of structures whose atomic fields it cannot see. All relaxed loads: what
 * they return is for people, or is checked by the caller. */
#ifndef CONCLAVE_INSPECT_H
#define CONCLAVE_INSPECT_H

#include <string.h>

#include "conclave_publish.h"
#include "conclave_streams.h"

static inline uint32_t conclave_lane_process(const conclave_view *view, uint32_t lane) {
  return atomic_load_explicit(&conclave_lane_header_at(view, lane)->pid, memory_order_relaxed);
}

static inline uint64_t conclave_lane_incarnation(const conclave_view *view, uint32_t lane) {
  return atomic_load_explicit(&conclave_lane_header_at(view, lane)->incarnation,
                              memory_order_relaxed);
}

static inline uint64_t conclave_lane_messages(const conclave_view *view, uint32_t lane) {
  return atomic_load_explicit(&conclave_lane_header_at(view, lane)->messages, memory_order_relaxed);
}

static inline uint64_t conclave_row_cursor(const conclave_view *view, uint32_t row) {
  return atomic_load_explicit(&conclave_row_at(view, row)->cursor, memory_order_relaxed);
}

/* One half, 0 or 1, of what distinguishes this segment from all others ever made. */
static inline uint64_t conclave_generation_half(const conclave_view *view, int half) {
  uint64_t word;
  memcpy(&word, ((const conclave_segment_header *)(const void *)view->base)->generation + 8 * half,
         sizeof(word));
  return word;
}

/* A copy of a conclave_presence. */
typedef struct conclave_presence_copy {
  uint64_t cursor;
  uint64_t lost;
  uint32_t pid;
  uint32_t back_pressure;
  uint64_t label_bytes; /* at most CONCLAVE_LABEL_BYTES */
  uint64_t label[CONCLAVE_LABEL_BYTES / 8];
} conclave_presence_copy;

static inline conclave_presence_copy conclave_presence_read(const conclave_view *view,
                                                            uint32_t row) {
  const conclave_presence *presence = &view->presences[row];
  conclave_presence_copy copy = {
      .cursor = atomic_load_explicit(&presence->cursor, memory_order_relaxed),
      .lost = atomic_load_explicit(&presence->lost, memory_order_relaxed),
      .pid = atomic_load_explicit(&presence->pid, memory_order_relaxed),
      .back_pressure = atomic_load_explicit(&presence->back_pressure, memory_order_relaxed),
      .label_bytes = atomic_load_explicit(&presence->label_bytes, memory_order_acquire),
  };
  if (copy.label_bytes > CONCLAVE_LABEL_BYTES) copy.label_bytes = CONCLAVE_LABEL_BYTES;
  conclave_copy_out(copy.label, presence->label, copy.label_bytes);
  return copy;
}

/* conclave_stream_add and conclave_stream_note for a caller that cannot name pointers to atomics. */
typedef struct conclave_stream_entry conclave_stream_entry;

static inline conclave_stream_entry *conclave_stream_add_opaque(conclave_publisher *publisher,
                                                                const void *key,
                                                                uint32_t key_bytes) {
  return (conclave_stream_entry *)conclave_stream_add(publisher->lane_header, key, key_bytes);
}

static inline void conclave_stream_note_opaque(conclave_stream_entry *entry, uint64_t number) {
  conclave_stream_note((_Atomic uint64_t *)entry, number);
}

#endif
