/* Copying in and out of memory that another process may be writing.
 *
 * Word by word with relaxed atomics: such a race is defined behaviour, and ThreadSanitizer understands
 * it. Where the processor keeps loads and stores in order (x86-64) two words at a time with volatile
 * vectors: the same accesses, half as many of them. That counts, since a core holds only so many stores
 * that wait for their cache lines (copying in 304 bytes: 16 ns instead of 24). C calls such a race
 * undefined; the loops of a seqlock in the Linux kernel rest on the same: a volatile access is made as
 * it is written, and no value that was raced for is used before it was judged (conclave_receive_copy).
 *
 * The shared side is 8-byte aligned; the private side need not be.
 */
#ifndef CONCLAVE_COPY_H
#define CONCLAVE_COPY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define CONCLAVE_COPIES_WIDE 1
#else
#define CONCLAVE_COPIES_WIDE 0
#endif

#if CONCLAVE_COPIES_WIDE

typedef uint64_t conclave_shared_pair __attribute__((vector_size(16), aligned(8), may_alias));
typedef uint64_t conclave_private_pair __attribute__((vector_size(16), aligned(1), may_alias));

/* Copies whole blocks of 8 words; returns how many words that were. */
static inline size_t conclave_copy_in_blocks(_Atomic uint64_t *shared, const uint8_t *source,
                                             size_t words) {
  size_t i = 0;
  for (; i + 8 <= words; i += 8) {
    const conclave_private_pair *from = (const conclave_private_pair *)(const void *)(source + i * 8);
    volatile conclave_shared_pair *to = (volatile conclave_shared_pair *)(void *)(shared + i);
    conclave_shared_pair a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
  }
  return i;
}

/* Copies whole blocks of 8 words; returns how many words that were. */
static inline size_t conclave_copy_out_blocks(uint64_t *private_words,
                                              const _Atomic uint64_t *shared, size_t words) {
  size_t i = 0;
  for (; i + 8 <= words; i += 8) {
    const volatile conclave_shared_pair *from =
        (const volatile conclave_shared_pair *)(const void *)(shared + i);
    conclave_private_pair *to = (conclave_private_pair *)(void *)(private_words + i);
    conclave_shared_pair a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
  }
  return i;
}

#else

static inline size_t conclave_copy_in_blocks(_Atomic uint64_t *shared, const uint8_t *source,
                                             size_t words) {
  (void)shared, (void)source, (void)words;
  return 0;
}

static inline size_t conclave_copy_out_blocks(uint64_t *private_words,
                                              const _Atomic uint64_t *shared, size_t words) {
  (void)private_words, (void)shared, (void)words;
  return 0;
}

#endif

/* Writes `bytes` bytes to `shared`, whose last word is filled up with zeros: it must have room for a
 * multiple of 8. */
static inline void conclave_copy_in(_Atomic uint64_t *shared, const void *private_bytes,
                                    size_t bytes) {
  const uint8_t *source = private_bytes;
  size_t words = bytes / 8;
  for (size_t i = conclave_copy_in_blocks(shared, source, words); i < words; i++) {
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
  for (size_t i = conclave_copy_out_blocks(private_words, shared, words); i < words; i++) {
    private_words[i] = atomic_load_explicit(&shared[i], memory_order_relaxed);
  }
}

/* Asks for the cache line at `line`, to be written soon. Harmless for any address. */
static inline void conclave_prefetch_to_write(const void *line) {
#if defined(__x86_64__)
  /* Without a target option __builtin_prefetch asks for a copy that may only be read. Processors that
   * do not know the instruction ignore it. */
  __asm__ volatile("prefetchw %0" : : "m"(*(const uint8_t *)line));
#else
  __builtin_prefetch(line, 1, 3);
#endif
}

#endif
