/* Copying in and out of memory that another process may be writing.
 *
 * Word by word with relaxed atomics: such a race is defined behaviour, ThreadSanitizer understands it,
 * and on the machines of today it costs what plain 8-byte moves cost. The shared side is 8-byte
 * aligned; the private side need not be.
 */
#ifndef CONCLAVE_COPY_H
#define CONCLAVE_COPY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Writes `bytes` bytes to `shared`, whose last word is filled up with zeros: it must have room for a
 * multiple of 8. */
static inline void conclave_copy_in(_Atomic uint64_t *shared, const void *private_bytes,
                                    size_t bytes) {
  const uint8_t *source = private_bytes;
  size_t words = bytes / 8;
  for (size_t i = 0; i < words; i++) {
    uint64_t word;
    memcpy(&word, source + i * 8, 8);
    atomic_store_explicit(&shared[i], word, memory_order_relaxed);
  }
  if (bytes & 7) {
    uint64_t word = 0;
    memcpy(&word, source + words * 8, bytes & 7);
    atomic_store_explicit(&shared[words], word, memory_order_relaxed);
  }
}

/* Reads `bytes` bytes, rounded up to whole words, into `private_words`. */
static inline void conclave_copy_out(uint64_t *private_words, const _Atomic uint64_t *shared,
                                     size_t bytes) {
  size_t words = (bytes + 7) / 8;
  for (size_t i = 0; i < words; i++) {
    private_words[i] = atomic_load_explicit(&shared[i], memory_order_relaxed);
  }
}

#endif
