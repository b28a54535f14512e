#include "conclave_streams.h"

#include "conclave_copy.h"

/* An entry's words: number, length of the key, key. */
enum { ENTRY_HEAD_BYTES = 16 };

static _Atomic uint64_t *words_of(conclave_lane_header *lane, uint32_t offset) {
  return (_Atomic uint64_t *)(void *)(lane->streams + offset);
}

_Atomic uint64_t *conclave_stream_add(conclave_lane_header *lane, const void *key,
                                      uint32_t key_bytes) {
  uint32_t used = atomic_load_explicit(&lane->stream_bytes, memory_order_relaxed);
  if (used > sizeof(lane->streams) || used % 8 != 0 || key_bytes > sizeof(lane->streams)) {
    return NULL;
  }
  uint32_t wanted = ENTRY_HEAD_BYTES + (key_bytes + 7u) / 8u * 8u;
  if (sizeof(lane->streams) - used < wanted) return NULL;
  _Atomic uint64_t *entry = words_of(lane, used);
  atomic_store_explicit(&entry[0], 0, memory_order_relaxed);
  atomic_store_explicit(&entry[1], key_bytes, memory_order_relaxed);
  conclave_copy_in(entry + 2, key, key_bytes);
  /* SYNC POINT lists, and all in conclave_streams_copy. */
  atomic_store_explicit(&lane->stream_bytes, used + wanted, memory_order_release);
  return entry;
}

uint32_t conclave_streams_copy(const conclave_view *view, uint32_t lane, uint64_t *copy,
                               uint64_t *incarnation) {
  conclave_lane_header *header = conclave_lane_header_at(view, lane);
  uint64_t owner = atomic_load_explicit(&header->incarnation, memory_order_acquire);
  uint32_t bytes = atomic_load_explicit(&header->stream_bytes, memory_order_acquire);
  if (owner == 0 || bytes > sizeof(header->streams)) return 0;
  conclave_copy_out(copy, words_of(header, 0), bytes);
  atomic_thread_fence(memory_order_acquire);
  if (atomic_load_explicit(&header->incarnation, memory_order_relaxed) != owner) return 0;
  *incarnation = owner;
  return bytes & ~7u;
}
